"""The five kinds of object, as data: what the 40 tools are made from."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, FailFast, Field

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def _canonical_uuid(value: str) -> str:
    if not _UUID.fullmatch(value):
        raise ValueError("must be a UUID such as 123e4567-e89b-42d3-a456-426614174000")
    return value.lower()


Uid = Annotated[
    str,
    AfterValidator(_canonical_uuid),
    Field(json_schema_extra={"format": "uuid"}),
]
Texts = Annotated[list[str], FailFast()]  # one error says it; a million cost a gigabyte
Object = dict[str, Any]


@dataclass(frozen=True)
class Argument:
    """A tool argument: its type, the JSON field it becomes, and what it means."""

    type: Any
    field: str
    description: str
    required: bool = False
    default: Any = None


@dataclass(frozen=True, eq=False)
class Entity:
    """One kind of object; `create` and `update` hold its arguments, `actions` those of process."""

    singular: str
    plural: str
    label: str
    create: dict[str, Argument]
    update: dict[str, Argument]
    actions: tuple[str, ...]
    archive_effect: str

    @property
    def collection(self) -> str:
        """Path of the REST collection."""
        return f"/v1/{self.plural}"


_TAGS = {"tags": Argument(Texts, "tags", "Labels.")}
_DESCRIPTION = {"description": Argument(str, "description", "Longer text.")}
_STATUS = Argument(str, "status", "State, for example open or in_progress.")


def _title(label: str) -> dict[str, Argument]:
    return {"title": Argument(str, "title", f"Title of the {label}.", required=True)}


def _content(label: str) -> dict[str, Argument]:
    return {"content": Argument(str, "content", f"Text of the {label}.", required=True)}


_NOTE = _title("note") | _content("note")
_TASK = _title("task") | _DESCRIPTION | {"status": _STATUS}
_COMMENT = _content("comment") | {
    "parent_type": Argument(
        Literal["note", "task"], "parentType", "What is commented on.", required=True
    ),
    "parent_uid": Argument(Uid, "parentUid", "UUID of what is commented on.", required=True),
}
_CHAT = _title("chat") | _DESCRIPTION
_CHAT_MESSAGE = _content("message") | {
    "chat_uid": Argument(Uid, "chatUid", "UUID of the chat.", required=True)
}

ENTITIES: tuple[Entity, ...] = (
    Entity(
        singular="note",
        plural="notes",
        label="note",
        create=_NOTE | _TAGS,
        update=_NOTE,
        actions=("pin", "unpin", "archive", "unarchive"),
        archive_effect='status "archived"',
    ),
    Entity(
        singular="task",
        plural="tasks",
        label="task",
        create=_TASK
        | {
            "priority": Argument(str, "priority", "Priority, for example high."),
            "due_date": Argument(str, "dueDate", "Due date, RFC 3339."),
        }
        | _TAGS,
        update=_TASK,
        actions=("start", "complete", "reopen"),
        archive_effect='status "archived"',
    ),
    Entity(
        singular="comment",
        plural="comments",
        label="comment",
        create=_COMMENT | {"author": Argument(str, "author", "Name of the author.")} | _TAGS,
        update=_COMMENT,
        actions=("resolve", "reopen"),
        archive_effect='status "archived"',
    ),
    Entity(
        singular="chat",
        plural="chats",
        label="chat",
        create=_CHAT
        | {
            "participants": Argument(Texts, "participants", "Names of the participants."),
            "archived": Argument(bool, "archived", "Whether it starts archived.", default=False),
        }
        | _TAGS,
        update=_CHAT,
        actions=("resolve", "reopen"),
        archive_effect="archived true",
    ),
    Entity(
        singular="chat_message",
        plural="chat_messages",
        label="chat message",
        create=_CHAT_MESSAGE
        | {
            "sender": Argument(str, "sender", "Name of the sender."),
            "message_type": Argument(str, "messageType", "Kind of message, for example text."),
        }
        | _TAGS,
        update=_CHAT_MESSAGE,
        actions=("mark_read", "mark_delivered"),
        archive_effect="archived true",
    ),
)
