"""What a person is asked before a member loses something: names say no more than they are."""

from __future__ import annotations

from sqlalchemy import update

from scenarios.services.organizations.desks import Desks, known
from services.organizations import questions
from services.organizations.tables import Member


def test_a_name_that_turns_the_line_round_does_not_turn_the_question(desks: Desks) -> None:
    victor = known(desks, "victor")
    with desks.database.writing() as session:
        session.execute(update(Member).where(Member.id == victor.id).values(name="Omar \u202eنصر\u202c\n<b>Nasr</b>”?"))
    asked = questions.deactivate(desks("olivia"), victor.id)
    assert asked.startswith(f"Deactivate “Omar نصر <b>Nasr</b>'?” ({victor.email}), viewer? They")


def test_a_team_cannot_be_called_what_ends_the_question(desks: Desks) -> None:
    olivia, victor = desks("olivia"), known(desks, "victor")
    team = olivia.teams.create("x”? Nobody is removed. “y", key=None)
    asked = questions.remove_team_member(olivia, team.id, user_id=victor.id)
    assert asked.endswith(" from the team “x'? Nobody is removed. 'y”?")
