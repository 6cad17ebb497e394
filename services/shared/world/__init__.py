"""The seeded world: organizations, their people and tickets. Same name and seed, same ids, times and text."""

from services.shared.world.loading import load as load
from services.shared.world.model import Organization as Organization
from services.shared.world.model import Person as Person
from services.shared.world.model import SeededComment as SeededComment
from services.shared.world.model import SeededTicket as SeededTicket
from services.shared.world.model import Team as Team
from services.shared.world.model import World as World
from services.shared.world.model import seeded_id as seeded_id
