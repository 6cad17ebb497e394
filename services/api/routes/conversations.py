"""Conversations with the assistant: each is its owner's, and nobody else's."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from services.api import conditions, paging
from services.api.assistant.views import Conversation, ConversationPage
from services.api.conditions import IfNoneMatch
from services.api.dependencies import OwnConversations
from services.api.routes import described
from services.api.strict_route import StrictRoute
from services.api.views import PageQuery
from services.shared.problems import NotFound, problems

router = APIRouter(prefix="/api/conversations", tags=["assistant"], route_class=StrictRoute)

ConversationId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="As in `id`, `threadId`.")]

_OF_THE_FIRST = described.links("id", "$response.body#/items/0/id", "getConversation", "deleteConversation")
_OF_IT = described.links("id", "$response.body#/id", "deleteConversation")


@router.get("", responses={200: {**paging.LINKED, **_OF_THE_FIRST}, **problems(NotFound)})
async def list_conversations(
    asked: Annotated[PageQuery, Query()], conversations: OwnConversations, request: Request, response: Response
) -> ConversationPage:
    """The caller's conversations in their present organization, the last used first."""
    page = await conversations.page(asked)
    paging.link(request, response, page.next_cursor)
    return page


@router.get("/{id}", response_model=Conversation, responses=described.linked(described.READ, 200, _OF_IT))
async def get_conversation(
    id: ConversationId,  # noqa: A002 - the name on the wire
    conversations: OwnConversations,
    response: Response,
    known: IfNoneMatch = None,
) -> Conversation | Response:
    """A conversation and all that was said in it. `POST /api/chat` continues it: `id` is its `threadId`."""
    conversation = await conversations.get(id)
    return conditions.answer(response, conversation.version, known) or conversation


@router.delete("/{id}", status_code=204, responses=problems(NotFound))
async def delete_conversation(
    id: ConversationId,  # noqa: A002 - the name on the wire
    conversations: OwnConversations,
) -> None:
    """Delete a conversation and all that was said in it, for good. A turn that is under way ends without a trace."""
    await conversations.delete(id)
