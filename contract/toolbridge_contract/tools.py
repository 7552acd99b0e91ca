"""The 40 tools and the entities behind them, as data.

Names are exact: MCP clients in use already call them.
"""

from dataclasses import dataclass
from typing import Literal

Operation = Literal["list", "get", "create", "update", "patch", "delete", "archive", "process"]

OPERATIONS: tuple[Operation, ...] = (
    "list",
    "get",
    "create",
    "update",
    "patch",
    "delete",
    "archive",
    "process",
)

HEALTH_CHECK = "health_check"


@dataclass(frozen=True)
class Entity:
    """One of the five kinds of object.

    `create` and `update` map a tool argument to the JSON field that it becomes; `required`
    names the create arguments without which the call is invalid; `actions` maps each
    `process` action to the fields it sets; `archive` is what archiving sets.
    """

    singular: str
    plural: str
    label: str
    create: dict[str, str]
    update: dict[str, str]
    required: frozenset[str]
    actions: dict[str, dict[str, object]]
    archive: dict[str, object]

    @property
    def collection(self) -> str:
        """Path of the REST collection."""
        return f"/v1/{self.plural}"

    def tool(self, operation: Operation) -> str:
        """Name of the tool that performs `operation` on this entity."""
        return f"{operation}_{self.plural if operation == 'list' else self.singular}"


NOTE = Entity(
    singular="note",
    plural="notes",
    label="note",
    create={"title": "title", "content": "content", "tags": "tags"},
    update={"title": "title", "content": "content"},
    required=frozenset({"title", "content"}),
    actions={
        "pin": {"pinned": True},
        "unpin": {"pinned": False},
        "archive": {"status": "archived"},
        "unarchive": {"status": "active"},
    },
    archive={"status": "archived"},
)
TASK = Entity(
    singular="task",
    plural="tasks",
    label="task",
    create={
        "title": "title",
        "description": "description",
        "status": "status",
        "priority": "priority",
        "due_date": "dueDate",
        "tags": "tags",
    },
    update={"title": "title", "description": "description", "status": "status"},
    required=frozenset({"title"}),
    actions={
        "start": {"status": "in_progress"},
        "complete": {"status": "completed"},
        "reopen": {"status": "open"},
    },
    archive={"status": "archived"},
)
COMMENT = Entity(
    singular="comment",
    plural="comments",
    label="comment",
    create={
        "content": "content",
        "parent_type": "parentType",
        "parent_uid": "parentUid",
        "author": "author",
        "tags": "tags",
    },
    update={"content": "content", "parent_type": "parentType", "parent_uid": "parentUid"},
    required=frozenset({"content", "parent_type", "parent_uid"}),
    actions={"resolve": {"status": "resolved"}, "reopen": {"status": "open"}},
    archive={"status": "archived"},
)
CHAT = Entity(
    singular="chat",
    plural="chats",
    label="chat",
    create={
        "title": "title",
        "description": "description",
        "participants": "participants",
        "archived": "archived",
        "tags": "tags",
    },
    update={"title": "title", "description": "description"},
    required=frozenset({"title"}),
    actions={"resolve": {"status": "resolved"}, "reopen": {"status": "active"}},
    archive={"archived": True},
)
CHAT_MESSAGE = Entity(
    singular="chat_message",
    plural="chat_messages",
    label="chat message",
    create={
        "chat_uid": "chatUid",
        "content": "content",
        "sender": "sender",
        "message_type": "messageType",
        "tags": "tags",
    },
    update={"content": "content", "chat_uid": "chatUid"},
    required=frozenset({"chat_uid", "content"}),
    actions={"mark_read": {"read": True}, "mark_delivered": {"delivered": True}},
    archive={"archived": True},
)

ENTITIES: tuple[Entity, ...] = (NOTE, TASK, COMMENT, CHAT, CHAT_MESSAGE)

TOOL_NAMES: frozenset[str] = frozenset(
    entity.tool(operation) for entity in ENTITIES for operation in OPERATIONS
)
