"""The node's types and methods.

Made from the node's description, docs/openrpc.json: don't edit. docs/testing.md says how it is made anew.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, Protocol, Sequence, TypedDict, Union

__all__ = [
    "Account",
    "AccountInfo",
    "AlbumBody",
    "AlbumNewPostBody",
    "AlbumPostBody",
    "AlbumSendBody",
    "App",
    "AppKey",
    "AppPage",
    "AppRequestedEvent",
    "AppRequestedEventData",
    "AppShareBy",
    "AppState",
    "AppToken",
    "Archive",
    "ArchiveId",
    "ArchiveImported",
    "ArchiveItem",
    "ArchiveItemPage",
    "ArchivePage",
    "Archived",
    "Area",
    "Attachment",
    "Beacon",
    "Blob",
    "BlobId",
    "BlobPart",
    "BlobProgressEvent",
    "BlobProgressEventData",
    "BlobState",
    "Blobs",
    "Body",
    "BrowserCode",
    "CalendarEvent",
    "Card",
    "CardNewPostBody",
    "CardPostBody",
    "CarouselNewPostBody",
    "CarouselPostBody",
    "Category",
    "Certified",
    "Channel",
    "ChannelBody",
    "ChannelEvidence",
    "ChannelEvidenceEvent",
    "ChannelEvidenceEventData",
    "ChannelEvidencePage",
    "ChannelFigures",
    "ChannelGap",
    "ChannelGapEvent",
    "ChannelGapEventData",
    "ChannelId",
    "ChannelLink",
    "ChannelPage",
    "ChannelPostEvent",
    "ChannelPostUpdatedEvent",
    "ChannelReportedEvent",
    "ChannelReportedEventData",
    "ChannelSendBody",
    "ChannelTerms",
    "ChannelUpdatedEvent",
    "ChannelUpdatedEventData",
    "ChannelWriter",
    "ChannelWriterPage",
    "Chat",
    "ChatAlias",
    "ChatDetails",
    "ChatGapEvent",
    "ChatGapEventData",
    "ChatHealth",
    "ChatId",
    "ChatKind",
    "ChatPage",
    "ChatRef",
    "ChatState",
    "ChatTypingEvent",
    "ChatTypingEventData",
    "ChatUpdatedEvent",
    "ChatUpdatedEventData",
    "Check",
    "Contact",
    "ContactAddedEvent",
    "ContactAddedEventData",
    "ContactPage",
    "ContactRequest",
    "ContactRequestPage",
    "ContactRequestedEvent",
    "ContactRequestedEventData",
    "CopyShareAction",
    "Coupon",
    "CouponNewPostBody",
    "CouponPostBody",
    "Day",
    "DeletedBody",
    "Deliveries",
    "DeviceKey",
    "Doctor",
    "DomainUnavailable",
    "Done",
    "ErrorData",
    "Event",
    "EventCursor",
    "EventEpoch",
    "EventNewPostBody",
    "EventPage",
    "EventPostBody",
    "Evidence",
    "EvidencePage",
    "FiguresState",
    "FileBody",
    "FileSendBody",
    "Filter",
    "FollowShareAction",
    "FoundChannel",
    "FoundChannels",
    "Gap",
    "GapEvent",
    "GapEventData",
    "GapReason",
    "GapState",
    "Gaps",
    "GroupInvite",
    "GroupInvites",
    "HandledEvent",
    "HandlerShareAction",
    "Held",
    "HeldBack",
    "HeldWhy",
    "Highlight",
    "Hours",
    "ImageBody",
    "ImageSendBody",
    "InstallShareAction",
    "Invite",
    "LaggedEvent",
    "LaggedEventData",
    "Ledger",
    "LedgerState",
    "Link",
    "Listed",
    "ListedState",
    "Manifest",
    "Member",
    "Members",
    "Mention",
    "Message",
    "MessageExpiredEvent",
    "MessageExpiredEventData",
    "MessageId",
    "MessageLedgerEvent",
    "MessageLedgerEventData",
    "MessagePage",
    "MessageReceivedEvent",
    "MessageSentEvent",
    "MessageUpdatedEvent",
    "NewAlias",
    "NewCard",
    "NewCoupon",
    "NewPostBody",
    "NoShareAction",
    "NobodyShareBy",
    "NodeInfo",
    "NoneShareAction",
    "OpenRpc",
    "PageCursor",
    "PageShareBy",
    "Path",
    "Phrase",
    "Pick",
    "PickId",
    "PickPage",
    "PickShown",
    "PickState",
    "Picked",
    "PictureLeftOut",
    "Pinned",
    "Plan",
    "PlanPage",
    "PollBody",
    "PollFigures",
    "PollNewPostBody",
    "PollOption",
    "PollPostBody",
    "PollResult",
    "PollSendBody",
    "Post",
    "PostBody",
    "PostId",
    "PostPage",
    "PostPage2",
    "PostbackShareAction",
    "Posted",
    "Pseudonym",
    "PseudonymKind",
    "Reaction",
    "RecoveryKey",
    "RecoveryMade",
    "RelayAddress",
    "RelayDemotedEvent",
    "RelayDemotedEventData",
    "RelayFigures",
    "RelayInfo",
    "RelayKey",
    "RelayState",
    "ReplyShareAction",
    "ReplyState",
    "ReportReason",
    "ReportSent",
    "ReportState",
    "RequestId",
    "Retracted",
    "RetractedPostBody",
    "Role",
    "SchemeShareAction",
    "Scope",
    "Scraped",
    "SearchHit",
    "SearchPage",
    "Secret",
    "SendBody",
    "SendFile",
    "Sent",
    "ShareAction",
    "ShareAppId",
    "ShareBody",
    "ShareBy",
    "ShareCard",
    "ShareChecked",
    "ShareDeliveredEvent",
    "ShareDeliveredEventData",
    "ShareDevice",
    "ShareDomain",
    "ShareLanguage",
    "ShareOpened",
    "ShareOpenedEvent",
    "ShareOpenedEventData",
    "ShareOs",
    "SharePayloadEvent",
    "SharePayloadEventData",
    "SharePicture",
    "SharePostbackEvent",
    "SharePostbackEventData",
    "SharePreview",
    "ShareProved",
    "ShareReplied",
    "ShareReplyWaitingEvent",
    "ShareSent",
    "ShareSentEvent",
    "ShareSentEventData",
    "ShareShareAction",
    "SharesSent",
    "TextBody",
    "TextNewPostBody",
    "TextPostBody",
    "TextSendBody",
    "UnknownBody",
    "UnknownPostBody",
    "VerifiedLinkShareAction",
    "Via",
    "VoiceBody",
    "VoiceSendBody",
    "Vouched",
    "WaitingReply",
    "WaitingReplyPage",
    "WebLink",
    "WebShareAction",
    "Webhook",
    "WebhookDisabledEvent",
    "WebhookDisabledEventData",
    "WebhookMade",
    "WebhookPage",
    "WebhookState",
    "WriterCertificate",
    "WriterKey",
    "WriterKeyMade",
    "WriterScope",
    "Written",
    "Methods",
]

Account = str
"""An account's address."""

AppKey = str
"""Names an app that has a token, or asks for one."""

AppState = Literal["requested", "active", "expired"]
"""Whether an app's token works."""

ArchiveId = str
"""Names imported messages of a chat."""

BlobId = str
"""Names the content of a file, or an upload of one."""

BlobState = Literal["sealing", "sealed", "sending", "sent", "fetching", "fetched", "lost"]
"""How a file is."""

ChannelId = str
"""Names a channel: its root's public key."""

ChannelLink = str
"""A channel's link: `madang:channel?d=…`. A web address that carries one behind a `#` is read too."""

ChatId = str
"""Names a chat."""

ChatKind = Literal["one_to_one", "group"]
"""The kinds of chat."""

ChatState = Literal["requested", "active", "left"]
"""How far a chat's making has come."""

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""A day of the week."""

DeviceKey = str
"""A device's public key."""

Done = dict[str, Any]
"""The empty object of a method that has nothing to say."""

EventCursor = str
"""A place in the event log: a decimal number in a string, because JSON's numbers lose digits above 2⁵³."""

EventEpoch = str
"""Names a stretch of the event log: from one start of the node on this data to the next. Copies of a data directory share the epochs up to the copy, and none after."""

FiguresState = Literal["told", "away", "silent", "refused"]
"""Whether a relay tells figures."""

GapReason = Literal["pruned", "other_log"]
"""Why events aren't in the log."""

GapState = Literal["open", "filled", "lost", "void", "forked"]
"""How a gap is."""

HandledEvent = Literal["share.payload"]
"""An event that an app which handles cards is told."""

HeldWhy = Literal["category", "area", "advertising", "quiet", "window", "daily_cap", "promise"]
"""Why a post isn't shown."""

LedgerState = Literal["queued", "held", "delivered", "read"]
"""The furthest that a message got."""

Link = str
"""An invite link: `madang:invite?d=…`. A web address that carries one behind a `#` is read too."""

ListedState = Literal["listed", "waiting", "leaving"]
"""How an own channel stands in a relay's directory."""

MessageId = str
"""Names a message for good, on all devices."""

NoShareAction = Literal["unsigned", "expired"]
"""Why a button does nothing."""

PageCursor = str
"""A place in a list, as a page of it gave it."""

Path = Literal["direct", "relay", "none"]
"""The way to a chat's other side."""

PickId = str
"""Names a card, or an answer to one, that waits for the user."""

PickState = Literal["waiting", "sent", "cancelled"]
"""How a pick is."""

PostId = str
"""Names a post of a channel, or what was done to one."""

PseudonymKind = Literal["direct", "group"]
"""A kind of chat."""

RecoveryKey = str
"""What takes a channel back: `madang:recovery?d=…`."""

RelayKey = str
"""A relay's public key."""

RelayState = Literal["trusted", "demoted"]
"""Whether a relay's word counts."""

ReplyState = Literal["sent", "waiting"]
"""What became of an answer."""

ReportReason = Literal["spam", "fraud", "hate", "violence", "sexual", "children", "impersonation", "rights", "other"]
"""Why a post is reported."""

ReportState = Literal["taken", "refused", "given_up"]
"""What became of a report at a relay."""

RequestId = str
"""Names a contact request that waits for the user."""

Role = Literal["owner", "admin", "member"]
"""A member's part in a group."""

Scope = str
"""What a token may do: `*`, `NAMESPACE:ACTION`, `chat:ID:ACTION`, `channel:ID:ACTION`, `share:KEY:ACTION` or `method:NAME`."""

Secret = str
"""Text that nobody else may read."""

ShareAppId = str
"""An app that offers shares: the public key that signs them."""

ShareDevice = Literal["phone", "tablet", "desktop"]
"""A kind of device."""

ShareLanguage = Literal["en", "ko"]
"""A language in which cards are shown."""

ShareOs = Literal["android", "ios", "linux", "macos", "windows"]
"""An operating system."""

Via = Literal["relays", "followers"]
"""By whom the posts of a channel come."""

WebhookState = Literal["active", "failing", "disabled", "ended"]
"""How a webhook is."""

WriterCertificate = str
"""A certificate to write on a channel with: `madang:writer?d=…`."""

WriterKey = str
"""The public key of whoever writes on a channel."""

WriterScope = Literal["publish", "edit", "coupons", "stats", "root", "recovery"]
"""What a key may do on a channel."""


class AccountInfo(TypedDict):
    """Result of `account.get`."""

    account: Account
    """The account, `madang1…`."""

    device: DeviceKey
    """This device."""

    name: NotRequired[str]
    """The name others are shown."""

    phrase_confirmed: bool
    """Whether the user has confirmed the phrase, and with it the root key is gone from this device."""


class AlbumBody(TypedDict):
    """Several files or images."""

    files: list[Attachment]
    """In their order."""

    kind: Literal["album"]

    text: str
    """What is written with them."""


class AlbumNewPostBody(TypedDict):
    """Photos and other files; those whose media type says so as images."""

    files: list[SendFile]
    """In their order."""

    kind: Literal["album"]

    text: NotRequired[str]
    """What is written with them."""


class AlbumPostBody(TypedDict):
    """Photos and other files."""

    files: list[Attachment]
    """In their order."""

    kind: Literal["album"]

    text: NotRequired[str]
    """What is written with them."""


class AlbumSendBody(TypedDict):
    """Several files; those whose media type says so as images."""

    files: list[SendFile]
    """In their order."""

    kind: Literal["album"]

    text: NotRequired[str]
    """What is written with them."""


class App(TypedDict):
    """An app, or who wants to become one."""

    acknowledged: EventCursor
    """The last event that it has acknowledged."""

    app: AppKey
    """Names it."""

    created_ms: int
    """When it asked or was made, in Unix milliseconds."""

    expires_ms: NotRequired[int]
    """When its token ends, in Unix milliseconds."""

    icon: NotRequired[str]
    """A small picture, in base64."""

    name: str
    """What it calls itself."""

    origin: NotRequired[str]
    """The page that it is."""

    parent: NotRequired[AppKey]
    """By whose token it was made."""

    scopes: list[Scope]
    """What it may do, or wants to."""

    state: AppState
    """Whether the user has approved it."""

    wants: NotRequired[list[Scope]]
    """What it asks for besides, and waits for."""


class AppPage(TypedDict):
    """One page of a list."""

    items: list[App]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class AppRequestedEvent(TypedDict):
    """An app asks to be let in."""

    cursor: EventCursor

    data: AppRequestedEventData

    epoch: EventEpoch

    kind: Literal["app.requested"]


class AppRequestedEventData(TypedDict):
    """AppRequestedEventData"""

    app: AppKey
    """Names it for `app.approve`."""

    name: str
    """What it calls itself."""

    scopes: list[Scope]
    """What it wants to be allowed."""


class AppShareBy(TypedDict):
    """An app whose key signed it."""

    app: ShareAppId
    """The key."""

    domains: list[ShareDomain]
    """The domains that it says it belongs to, each the app's claim until it is proved."""

    kind: Literal["app"]

    name: str
    """What it calls itself."""

    outdated: NotRequired[bool]
    """This node knows a newer manifest of the app: what this one says may not be so any more."""


class AppToken(TypedDict):
    """A token. One that was asked for works once the user has approved."""

    app: AppKey
    """Names it, here and for `app.approve`."""

    token: Secret
    """The bearer token."""


class Archive(TypedDict):
    """Imported messages of a chat."""

    account: Account
    """The account that exported it, as the file says."""

    archive: ArchiveId
    """Its id: the same for each export of that chat by that account."""

    chat: ChatId
    """The chat that was exported."""

    exported_ms: int
    """When it was exported last, as the file says, in Unix milliseconds."""

    imported_ms: int
    """When it was imported last, in Unix milliseconds."""

    name: NotRequired[str]
    """What the chat was called, as the file says."""


class ArchiveImported(TypedDict):
    """Result of `archive.add`."""

    added: int
    """How many are new."""

    archive: ArchiveId
    """The archive that the messages are in."""


class ArchiveItem(TypedDict):
    """A message of an archive, on a page."""

    account: Account
    """The author's account."""

    body: Body
    """What it says."""

    edited_ms: NotRequired[int]
    """When its author changed it last, in Unix milliseconds."""

    highlights: NotRequired[list[Highlight]]
    """Where `query` was found: places in the text, or in the question of a poll and its options, each on a line."""

    message: MessageId
    """Its id."""

    name: NotRequired[str]
    """The author's name."""

    outgoing: NotRequired[bool]
    """Whether whoever exported it wrote it."""

    reactions: NotRequired[list[Reaction]]
    """Emoji that were left at it."""

    sent_ms: int
    """When it was written, in Unix milliseconds."""


class ArchiveItemPage(TypedDict):
    """One page of a list."""

    items: list[ArchiveItem]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class ArchivePage(TypedDict):
    """One page of a list."""

    items: list[Archive]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class Archived(TypedDict):
    """A message of an exported chat: what the file says."""

    account: Account
    """The author's account."""

    body: Body
    """What it says."""

    edited_ms: NotRequired[int]
    """When its author changed it last, in Unix milliseconds."""

    message: MessageId
    """Its id."""

    name: NotRequired[str]
    """The author's name."""

    outgoing: NotRequired[bool]
    """Whether whoever exported it wrote it."""

    reactions: NotRequired[list[Reaction]]
    """Emoji that were left at it."""

    sent_ms: int
    """When it was written, in Unix milliseconds."""


class Area(TypedDict):
    """A circle on the earth."""

    latitude_e6: int
    """Millionths of a degree north."""

    longitude_e6: int
    """Millionths of a degree east."""

    radius_m: int
    """Metres."""


class Attachment(TypedDict):
    """A file of a message."""

    blob: BlobId
    """Its content, for `blob.get` and `/blob/ID`."""

    caption: NotRequired[str]
    """What the sender writes under it."""

    duration_ms: NotRequired[int]
    """Of a voice note: how long it is."""

    height: NotRequired[int]
    """Of an image: how high it is shown, in pixels."""

    length_bytes: int
    """Bytes of its content."""

    media_type: str
    """Its media type, as the sender says."""

    name: str
    """What to store it as: one element of a path that every platform takes, made from the sender's name."""

    preview: NotRequired[str]
    """Of an image: a ThumbHash, a blurred preview."""

    shown_name: str
    """What to show: the sender's name, its direction isolated."""

    suspicious: NotRequired[bool]
    """The sender's name may pass for another one: it has hidden or direction-changing characters, or mixes scripts that look alike."""

    thumbnail: NotRequired[str]
    """Of an image: a small JPEG."""

    waveform: NotRequired[str]
    """Of a voice note: loudness of equal stretches, a byte each."""

    width: NotRequired[int]
    """Of an image: how wide it is shown, in pixels."""


class Beacon(TypedDict):
    """A channel's word on how far its writers are."""

    number: int
    """Grows with each."""

    stale: bool
    """Another should have come long ago: its relays may keep back what is new."""

    time_ms: int
    """By the channel's clock, in Unix milliseconds."""


class Blob(TypedDict):
    """How a file is here."""

    blob: NotRequired[BlobId]
    """Its content; absent while it is being sealed."""

    held: NotRequired[list[Held]]
    """Relays that have it whole."""

    here_bytes: int
    """Bytes of it that are here: of an upload the first, of a fetch any."""

    length_bytes: int
    """Bytes of its content."""

    state: BlobState
    """How it is."""

    upload: NotRequired[BlobId]
    """The number of its upload, if it is this account's."""


class BlobPart(TypedDict):
    """A part of a file."""

    data: str
    """The part; empty at the end."""

    length_bytes: int
    """Bytes of the whole file."""

    offset_bytes: int
    """Where it begins."""


class BlobProgressEvent(TypedDict):
    """A file got further: once in 2 s at most, and in the end."""

    cursor: EventCursor

    data: BlobProgressEventData

    epoch: EventEpoch

    kind: Literal["blob.progress"]


class BlobProgressEventData(TypedDict):
    """BlobProgressEventData"""

    blob: BlobId
    """Its content."""

    done_bytes: int
    """Bytes that are there: at a relay, or here."""

    length_bytes: int
    """Bytes of the whole."""

    state: BlobState
    """How it is."""


class Blobs(TypedDict):
    """Files of a message."""

    items: list[Blob]
    """In the message's order."""


class BrowserCode(TypedDict):
    """Result of `share.browser`."""

    expires_ms: int
    """When it ends, in Unix milliseconds."""

    url: str
    """A page of this node, which lets the browser in that opens it first."""


class CalendarEvent(TypedDict):
    """Something that takes place."""

    details: NotRequired[str]
    """More of it."""

    ends_s: int
    """When it ends, in Unix seconds."""

    place: NotRequired[str]
    """Where."""

    starts_s: int
    """When it begins, in Unix seconds."""

    title: str
    """What."""

    url: NotRequired[str]
    """An address."""


class Card(TypedDict):
    """A card."""

    buttons: NotRequired[list[WebLink]]
    """What can be opened from it."""

    image: NotRequired[Attachment]
    """Its picture."""

    text: NotRequired[str]
    """What it says."""

    title: str
    """Its title."""


class CardNewPostBody(TypedDict):
    """A card."""

    card: NewCard
    """The card."""

    kind: Literal["card"]

    text: NotRequired[str]
    """What is written with it."""


class CardPostBody(TypedDict):
    """A card."""

    card: Card
    """The card."""

    kind: Literal["card"]

    text: NotRequired[str]
    """What is written with it."""


class CarouselNewPostBody(TypedDict):
    """Cards side by side."""

    cards: list[NewCard]
    """2 to 10."""

    kind: Literal["carousel"]

    text: NotRequired[str]
    """What is written with them."""


class CarouselPostBody(TypedDict):
    """Cards side by side."""

    cards: list[Card]
    """2 to 10."""

    kind: Literal["carousel"]

    text: NotRequired[str]
    """What is written with them."""


class Category(TypedDict):
    """A category of a channel."""

    id: str
    """Lower-case letters, digits and hyphens."""

    name: str
    """For people."""


class Certified(TypedDict):
    """Result of `channel.certify`."""

    certificate: str
    """The certificate, for the key's holder."""


class Channel(TypedDict):
    """A channel."""

    beacon: NotRequired[Beacon]
    """Its newest word on how far its writers are; absent until one is here."""

    blocked: bool
    """The user wants nothing of it."""

    broke_promise_ms: NotRequired[int]
    """When it last posted more often on a day than it promised, in Unix milliseconds; what was beyond is held back."""

    channel: ChannelId
    """Its id, which is its root's public key."""

    domain_proved_ms: NotRequired[int]
    """When the domain that it names was last seen to vouch for it, in Unix milliseconds; see `channel.prove`."""

    evidence: int
    """Pieces of evidence against its writers; see `channel.evidence`."""

    followed: bool
    """This account follows it."""

    gaps: NotRequired[list[ChannelGap]]
    """Posts that its writers signed and that aren't here; they are looked for at its relays."""

    held: NotRequired[list[HeldBack]]
    """Posts that are held back, the oldest first."""

    last_ms: int
    """When it last said something, in Unix milliseconds."""

    link: str
    """The link by which others follow it."""

    listings: NotRequired[list[Listed]]
    """In whose public directories an own channel is to be found; see `channel.enlist`."""

    manifest: NotRequired[Manifest]
    """What it says of itself; absent until that is here."""

    muted: bool
    """The user isn't told of new posts."""

    name: str
    """What it calls itself, or before that is here, its link."""

    own: bool
    """It is this account's own."""

    relays: NotRequired[list[RelayAddress]]
    """Where it is kept."""

    scopes: NotRequired[list[WriterScope]]
    """What this account may do on it; its own channels' root may do all."""

    terms: NotRequired[ChannelTerms]
    """What of it is wanted, and when; absent for everything, at once."""

    unread: int
    """Posts that the user hasn't seen, counted up to 1,000."""

    via: Via
    """By whom its posts come."""


class ChannelBody(TypedDict):
    """A channel to follow, by its link."""

    channel: ChannelId
    """Its key, which is who it is."""

    kind: Literal["channel"]

    link: str
    """For `channel.follow`."""

    name: str
    """What whoever sent it calls it; may be empty."""


class ChannelEvidence(TypedDict):
    """Two things that a channel's writer signed and that contradict each other; or, from `channel.verify`, one that it signed."""

    channel: ChannelId
    """The channel."""

    data: str
    """Both, for `channel.verify` on any node."""

    number: int
    """The number of the entry or beacon."""

    proof: str
    """What they prove: `two_entries`, `two_histories`, `two_beacons`, `head_went_back`, `manifest_went_back` or `another_head`; `signed` of one entry alone."""

    writer: NotRequired[WriterKey]
    """Whose entries it is about; absent if it is about the channel's beacons alone."""


class ChannelEvidenceEvent(TypedDict):
    """A writer of a channel signed what contradicts itself; see `channel.evidence`."""

    cursor: EventCursor

    data: ChannelEvidenceEventData

    epoch: EventEpoch

    kind: Literal["channel.evidence"]


class ChannelEvidenceEventData(TypedDict):
    """ChannelEvidenceEventData"""

    channel: ChannelId
    """The channel."""

    proof: str
    """What it proves."""

    writer: NotRequired[WriterKey]
    """Whose entries it is about."""


class ChannelEvidencePage(TypedDict):
    """One page of a list."""

    items: list[ChannelEvidence]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class ChannelFigures(TypedDict):
    """Figures of a channel on which this account writes; all are rounded down to tens, and 0 is fewer than 20."""

    deliveries: NotRequired[int]
    """Peers to which the relay that says the most has handed the post."""

    polls: list[PollFigures]
    """Polls that were posted by this device, the one that is over last first."""

    relays: list[RelayFigures]
    """What each relay of the channel says; none where this account may not be told, without the scope `stats`."""

    watchers: NotRequired[int]
    """Peers that watch the channel at the relay that says the most. Not the sum: who follows watches at several. Absent if no relay tells."""


class ChannelGap(TypedDict):
    """Posts of a writer that aren't here."""

    first: int
    """The first number."""

    last: int
    """The last one."""

    writer: WriterKey
    """Whose."""


class ChannelGapEvent(TypedDict):
    """Something of a channel is missing, or no longer; see `gaps` in `channel.get`."""

    cursor: EventCursor

    data: ChannelGapEventData

    epoch: EventEpoch

    kind: Literal["channel.gap"]


class ChannelGapEventData(TypedDict):
    """ChannelGapEventData"""

    channel: ChannelId
    """The channel."""

    open: bool
    """Whether something is missing."""


class ChannelPage(TypedDict):
    """One page of a list."""

    items: list[Channel]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class ChannelPostEvent(TypedDict):
    """A channel has a new post. Of a muted one too: see `muted` in `channel.get`."""

    cursor: EventCursor

    data: Post

    epoch: EventEpoch

    kind: Literal["channel.post"]


class ChannelPostUpdatedEvent(TypedDict):
    """A post was edited or taken back."""

    cursor: EventCursor

    data: Post

    epoch: EventEpoch

    kind: Literal["channel.post_updated"]


class ChannelReportedEvent(TypedDict):
    """A relay has answered a report of a post, or is given up; see `channel.report`."""

    cursor: EventCursor

    data: ChannelReportedEventData

    epoch: EventEpoch

    kind: Literal["channel.reported"]


class ChannelReportedEventData(TypedDict):
    """ChannelReportedEventData"""

    channel: ChannelId
    """Whose post."""

    post: PostId
    """Which."""

    reason: NotRequired[str]
    """Why the relay refused, if it did."""

    relay: RelayKey
    """Where."""

    state: ReportState
    """What became of it there."""


class ChannelSendBody(TypedDict):
    """A channel to follow."""

    kind: Literal["channel"]

    link: ChannelLink
    """Its link, as `channel.get` gives it."""


class ChannelTerms(TypedDict):
    """What a follower wants of a channel, and when. It is weighed on this device; nobody learns of it."""

    advertising: NotRequired[bool]
    """Whether advertising is wanted."""

    categories: NotRequired[list[str]]
    """Ids of the categories that are wanted; all if absent. A post of no category is of all."""

    daily_cap: NotRequired[int]
    """Posts that are shown on a day at most; 0 for a digest that is only opened by hand."""

    places: NotRequired[list[Area]]
    """Places that matter: a post for an area elsewhere isn't wanted. All are if there are none."""

    quiet: NotRequired[list[Hours]]
    """When nothing is shown."""

    urgent: NotRequired[bool]
    """Whether what the channel calls urgent is shown at any hour."""

    window: NotRequired[list[Hours]]
    """When something may be shown; always if there are none."""

    zone: NotRequired[str]
    """The time zone by its IANA name, as `Asia/Seoul`; that of this machine if absent."""


class ChannelUpdatedEvent(TypedDict):
    """What a channel says of itself, or how this account has it, came or changed; see `channel.get`."""

    cursor: EventCursor

    data: ChannelUpdatedEventData

    epoch: EventEpoch

    kind: Literal["channel.updated"]


class ChannelUpdatedEventData(TypedDict):
    """ChannelUpdatedEventData"""

    channel: ChannelId
    """The channel."""


class ChannelWriter(TypedDict):
    """Whom a channel's root lets write."""

    categories: NotRequired[list[str]]
    """In which of the channel's categories; all if absent."""

    from_ms: int
    """From when, in Unix milliseconds."""

    number: int
    """The number of the last thing it signed that the root has confirmed; 0 for nothing."""

    scopes: list[WriterScope]
    """What for."""

    until_ms: int
    """Until when, in Unix milliseconds."""

    writer: WriterKey
    """The key."""


class ChannelWriterPage(TypedDict):
    """One page of a list."""

    items: list[ChannelWriter]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class Chat(TypedDict):
    """A chat."""

    alias: NotRequired[ChatAlias]
    """As whom you are in it, if not as your account."""

    chat: ChatId
    """The chat."""

    kind: ChatKind
    """What kind of chat it is."""

    last_ms: NotRequired[int]
    """When its last message was sent or received, in Unix milliseconds."""

    members: list[Member]
    """Who is in it."""

    name: NotRequired[str]
    """Its name."""

    state: ChatState
    """How far its making has come."""

    timer_s: int
    """Seconds after which its messages disappear; 0 for never."""

    unread: int
    """Received messages that aren't marked read."""


class ChatAlias(TypedDict):
    """An alias: another account of yours, in one chat."""

    account: Account
    """Its account."""

    name: NotRequired[str]
    """What it calls itself."""


class ChatDetails(TypedDict):
    """Result of `chat.get`: the chat, and how its state is."""

    alias: NotRequired[ChatAlias]
    """As whom you are in it, if not as your account."""

    branches: int
    """Branches of commits that aren't settled: 1 where there is no fork."""

    changes_under_way: int
    """Changes by this device that aren't settled."""

    chat: ChatId
    """The chat."""

    epoch: int
    """Commits that led to the state that counts."""

    gaps: int
    """Ranges of others' messages that are missing and looked for."""

    kind: ChatKind
    """What kind of chat it is."""

    last_ms: NotRequired[int]
    """When its last message was sent or received, in Unix milliseconds."""

    lost: int
    """Ranges of others' messages that their authors gave up."""

    members: list[Member]
    """Who is in it."""

    name: NotRequired[str]
    """Its name."""

    rejoining: bool
    """Whether this device has lost the chat's state and has asked to be put back."""

    state: ChatState
    """How far its making has come."""

    timer_s: int
    """Seconds after which its messages disappear; 0 for never."""

    unread: int
    """Received messages that aren't marked read."""

    unsettled: int
    """Commits that aren't settled."""

    waiting_envelopes: int
    """Envelopes that wait for a commit which isn't here yet."""


class ChatGapEvent(TypedDict):
    """Something about a gap in another device's messages changed; see `chat.gaps`."""

    cursor: EventCursor

    data: ChatGapEventData

    epoch: EventEpoch

    kind: Literal["chat.gap"]


class ChatGapEventData(TypedDict):
    """ChatGapEventData"""

    account: Account
    """Whose messages."""

    chat: ChatId
    """The chat."""

    device: DeviceKey
    """The device that wrote them."""

    first: int
    """The first."""

    last: int
    """The last."""

    state: GapState
    """How it is now."""


class ChatHealth(TypedDict):
    """How a chat's other side can be reached."""

    chat: ChatId
    """The chat."""

    gaps: int
    """Ranges of others' messages that are missing; see `chat.gaps`."""

    name: NotRequired[str]
    """Its name."""

    path: Path
    """The way there."""

    reason: NotRequired[str]
    """Why they wait."""

    waiting: int
    """Own messages that no other device has yet."""


class ChatPage(TypedDict):
    """One page of a list."""

    items: list[Chat]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class ChatRef(TypedDict):
    """Result of `contact.accept`, `contact.approve` and `chat.create`."""

    chat: ChatId
    """The chat with the contact, or the group."""


class ChatTypingEvent(TypedDict):
    """A member types (told at most once in 4 s of each device), or has stopped. It stands in the log like all others: 10 s after `at_ms` it means nothing."""

    cursor: EventCursor

    data: ChatTypingEventData

    epoch: EventEpoch

    kind: Literal["chat.typing"]


class ChatTypingEventData(TypedDict):
    """ChatTypingEventData"""

    account: Account
    """Who."""

    active: bool
    """False if they have stopped."""

    at_ms: int
    """When it was heard."""

    chat: ChatId
    """The chat."""

    device: DeviceKey
    """On which device."""


class ChatUpdatedEvent(TypedDict):
    """A group's members, roles or settings changed; see `chat.get`."""

    cursor: EventCursor

    data: ChatUpdatedEventData

    epoch: EventEpoch

    kind: Literal["chat.updated"]


class ChatUpdatedEventData(TypedDict):
    """ChatUpdatedEventData"""

    chat: ChatId
    """The chat."""


class Check(TypedDict):
    """One check of the doctor."""

    detail: str
    """What was found."""

    hint: NotRequired[str]
    """What the user can do."""

    name: str
    """A short name."""

    ok: bool
    """Whether it passed."""


class Contact(TypedDict):
    """A contact."""

    account: Account
    """The account."""

    chat: ChatId
    """The chat with them."""

    devices: list[DeviceKey]
    """Their devices."""

    name: NotRequired[str]
    """Their name."""

    since_ms: int
    """Since when, in Unix milliseconds."""


class ContactAddedEvent(TypedDict):
    """Someone became a contact."""

    cursor: EventCursor

    data: ContactAddedEventData

    epoch: EventEpoch

    kind: Literal["contact.added"]


class ContactAddedEventData(TypedDict):
    """ContactAddedEventData"""

    account: Account
    """The account."""

    chat: ChatId
    """The chat with them."""

    name: NotRequired[str]
    """Their name."""


class ContactPage(TypedDict):
    """One page of a list."""

    items: list[Contact]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class ContactRequest(TypedDict):
    """A request that waits for the user: for contact, or to be let into a group."""

    account: Account
    """Who asks."""

    chat: NotRequired[ChatId]
    """The group that they ask to be let into; absent where they ask for contact."""

    chat_name: NotRequired[str]
    """Its name."""

    name: NotRequired[str]
    """The name they give themselves."""

    received_ms: int
    """When it came, in Unix milliseconds."""

    request: RequestId
    """Names it for `contact.approve` and `contact.decline`."""


class ContactRequestPage(TypedDict):
    """One page of a list."""

    items: list[ContactRequest]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class ContactRequestedEvent(TypedDict):
    """Someone asks to be a contact."""

    cursor: EventCursor

    data: ContactRequestedEventData

    epoch: EventEpoch

    kind: Literal["contact.requested"]


class ContactRequestedEventData(TypedDict):
    """ContactRequestedEventData"""

    account: Account
    """Who asks."""

    name: NotRequired[str]
    """The name they give themselves."""

    request: RequestId
    """Names it for `contact.approve`."""


class CopyShareAction(TypedDict):
    """A text is copied."""

    kind: Literal["copy"]

    text: str
    """Which."""


class Coupon(TypedDict):
    """An offer."""

    card: Card
    """What is shown."""

    ends_s: int
    """Until when, in Unix seconds."""

    per_follower: NotRequired[int]
    """How many each follower gets; 0 for no limit."""

    starts_s: int
    """From when, in Unix seconds."""

    terms: NotRequired[str]
    """Its terms."""

    total: NotRequired[int]
    """How many there are; 0 for no limit."""


class CouponNewPostBody(TypedDict):
    """An offer; it can't be claimed yet."""

    coupon: NewCoupon
    """What."""

    kind: Literal["coupon"]

    text: NotRequired[str]
    """What is written with it."""


class CouponPostBody(TypedDict):
    """An offer; it can't be claimed yet."""

    coupon: Coupon
    """What."""

    kind: Literal["coupon"]

    text: NotRequired[str]
    """What is written with it."""


class DeletedBody(TypedDict):
    """Its author took it back."""

    kind: Literal["deleted"]


class Deliveries(TypedDict):
    """To how many peers a relay has handed a post."""

    counted_ms: int
    """When they were counted, in Unix milliseconds. A relay tells the same for an hour."""

    peers: int
    """Each counts once."""

    since_ms: int
    """Since when they are counted, in Unix milliseconds: what was before the relay's start isn't known."""


class Doctor(TypedDict):
    """Result of `node.doctor`."""

    chats: list[ChatHealth]
    """How each chat's other side can be reached now."""

    checks: list[Check]
    """What was checked."""

    ok: bool
    """Whether all checks passed."""


class DomainUnavailable(TypedDict):
    """A domain that couldn't be asked."""

    domain: str
    """Its name."""

    reason: str
    """Why."""


class ErrorData(TypedDict):
    """`error.data` of every error that the node answers."""

    code: str
    """The stable name, to act on."""

    field: NotRequired[str]
    """The path of the parameter at fault."""

    limit: NotRequired[int]
    """The bound that was hit."""

    retry_after_ms: NotRequired[int]
    """When to try again, in milliseconds."""

    retryable: bool
    """Whether the same call may succeed later."""

    scope: NotRequired[str]
    """The scope that the token lacks."""


class EventNewPostBody(TypedDict):
    """Something that takes place."""

    event: CalendarEvent
    """What."""

    kind: Literal["event"]

    text: NotRequired[str]
    """What is written with it."""


class EventPage(TypedDict):
    """Result of `event.poll`."""

    epoch: EventEpoch
    """The epoch of `next`."""

    items: list[Event]
    """Events in the log's order."""

    next: EventCursor
    """The `after` of the next poll: the last item's cursor, or the cursor that was asked about if there are none."""


class EventPostBody(TypedDict):
    """Something that takes place."""

    event: CalendarEvent
    """What."""

    kind: Literal["event"]

    text: NotRequired[str]
    """What is written with it."""


class Evidence(TypedDict):
    """What was kept as proof of what a relay did."""

    answer: str
    """What the relay answered or did, in words."""

    envelope: NotRequired[str]
    """The envelope that it is about, in hex."""

    found_ms: int
    """When it was found, in Unix milliseconds."""

    frame: str
    """The beginning of the frame that it sent instead, in hex; empty if it sent none."""

    reason: str
    """What it shows: a reason as in `node.info`."""

    receipts: list[str]
    """Custody frames that the relay signed, in hex: its receipts."""

    relay: RelayKey
    """The relay."""

    topic: NotRequired[str]
    """The topic that it is about, in hex."""

    until_ms: NotRequired[int]
    """Until when the relay had signed to keep it, in Unix milliseconds."""


class EvidencePage(TypedDict):
    """One page of a list."""

    items: list[Evidence]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class FileBody(TypedDict):
    """A file."""

    file: Attachment
    """Which."""

    kind: Literal["file"]

    text: str
    """What is written with it."""


class FileSendBody(TypedDict):
    """A file."""

    file: SendFile
    """Which."""

    kind: Literal["file"]

    text: NotRequired[str]
    """What is written with it."""


class Filter(TypedDict):
    """Which events are read; all if nothing is named."""

    chats: NotRequired[list[ChatId]]
    """Of these chats, and what is of none."""

    kinds: NotRequired[list[str]]
    """Kinds, as `message.received`."""


class FollowShareAction(TypedDict):
    """A channel is followed, once the user has seen it."""

    channel: str
    """Its link."""

    kind: Literal["follow"]


class FoundChannel(TypedDict):
    """A channel in a relay's directory, as its root signed it."""

    categories: list[str]
    """Ids of what its posts can be of."""

    channel: ChannelId
    """Which."""

    description: str
    """For people; the beginning of a long one."""

    followed: bool
    """This account follows it, or it is its own."""

    link: ChannelLink
    """By which it is followed."""

    name: str
    """What it calls itself. Anybody can call a channel so; what counts is the key."""

    relay: RelayKey
    """In whose directory it is."""


class FoundChannels(TypedDict):
    """Result of `channel.search`."""

    items: list[FoundChannel]
    """By name; what several relays name comes once from each."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""


class Gap(TypedDict):
    """A range of another device's messages that is missing."""

    account: Account
    """Whose messages."""

    asked: int
    """How often relays, members or the author were asked for it."""

    device: DeviceKey
    """The device that wrote them."""

    first: int
    """The first, counted from 1 in what that device wrote in this chat."""

    last: int
    """The last."""

    name: NotRequired[str]
    """Their name, if they are a contact."""

    since_ms: int
    """Since when it is known, in Unix milliseconds."""

    state: GapState
    """How it is."""


class GapEvent(TypedDict):
    """Events with `from <= cursor <= to` aren't in the log. A notice: it stands in no log itself."""

    cursor: EventCursor

    data: GapEventData

    epoch: EventEpoch

    kind: Literal["gap"]

GapEventData = TypedDict("GapEventData", {
    "from": "EventCursor",
    "reason": "GapReason",
    "to": "EventCursor",
})


class Gaps(TypedDict):
    """Result of `chat.gaps`."""

    items: list[Gap]
    """What is missing, by device and sequence."""


class GroupInvite(TypedDict):
    """An invite link of a group."""

    approval: bool
    """Whether each guest waits in `contact.requests`."""

    expires_ms: int
    """Until when it works, in Unix milliseconds."""

    invite: Link
    """The link."""

    max_uses: int
    """How many it lets in at most."""

    uses: int
    """How many it has let in."""


class GroupInvites(TypedDict):
    """Result of `chat.invites`."""

    items: list[GroupInvite]
    """This account's open links of the group."""


class HandlerShareAction(TypedDict):
    """An app at this node was handed the card: event `share.payload`."""

    kind: Literal["handler"]

    params: dict[str, Any]
    """What it is opened with."""


class Held(TypedDict):
    """A relay's promise to hold a message."""

    relay: RelayKey
    """The relay."""

    until_ms: int
    """How long, in Unix milliseconds."""


class HeldBack(TypedDict):
    """A post that waits in the digest."""

    post: PostId
    """Which."""

    since_ms: int
    """Since when, in Unix milliseconds."""

    until_ms: NotRequired[int]
    """When it is shown at the earliest, in Unix milliseconds; absent if only when the digest is opened."""

    why: HeldWhy
    """Why."""


class Highlight(TypedDict):
    """A place in a text."""

    length_bytes: int
    """How long it is there."""

    start_bytes: int
    """Where it begins in the text's UTF-8."""

Hours = TypedDict("Hours", {
    "days": "NotRequired[list[Day]]",
    "from": "str",
    "to": "str",
})
"""Hours of the day. Those that end no later than they begin end on the day after."""


class ImageBody(TypedDict):
    """An image."""

    file: Attachment
    """Which."""

    kind: Literal["image"]

    text: str
    """What is written with it."""


class ImageSendBody(TypedDict):
    """An image: JPEG, PNG, WebP or GIF."""

    file: SendFile
    """Which."""

    kind: Literal["image"]

    text: NotRequired[str]
    """What is written with it."""


class InstallShareAction(TypedDict):
    """The app isn't here: this is where it can be had."""

    kind: Literal["install"]

    url: str
    """Where."""


class Invite(TypedDict):
    """Result of `contact.invite` and `chat.invite`."""

    expires_ms: int
    """When it stops working, in Unix milliseconds."""

    invite: Link
    """The link."""


class LaggedEvent(TypedDict):
    """This subscription was at the log's end and has fallen behind since, as its reader reads slowly. A notice: nothing is lost."""

    cursor: EventCursor

    data: LaggedEventData

    epoch: EventEpoch

    kind: Literal["lagged"]


class LaggedEventData(TypedDict):
    """LaggedEventData"""

    behind: int
    """Events that still wait."""

    newest: EventCursor
    """The newest of them."""


class Ledger(TypedDict):
    """Who has an outgoing message."""

    delivered: list[DeviceKey]
    """Devices that acknowledged it."""

    held: list[Held]
    """Relays that signed for it."""

    read: list[DeviceKey]
    """Devices that showed it."""

    reason: NotRequired[str]
    """Why a queued message waits."""

    state: LedgerState
    """The furthest it got; never goes back."""


class Listed(TypedDict):
    """An own channel in a relay's directory."""

    reason: NotRequired[str]
    """Why the relay refused, if it did: `not_here` if it has no directory, `not_found` as long as it doesn't keep the channel, `full`, …"""

    relay: RelayKey
    """Whose."""

    state: ListedState
    """How it stands."""

    until_ms: NotRequired[int]
    """Until when it is there, in Unix milliseconds; it is renewed in time."""


class Manifest(TypedDict):
    """What a channel says of itself, signed by its root."""

    advertising_label: NotRequired[str]
    """What its advertising is labelled with."""

    categories: list[Category]
    """What its posts can be of."""

    description: str
    """For people."""

    domain: NotRequired[str]
    """The domain that it says it belongs to: a claim."""

    inbox: NotRequired[str]
    """An invite link by which followers write back."""

    links: list[WebLink]
    """Addresses."""

    number: int
    """Grows with each change."""

    posts_per_day: NotRequired[int]
    """Posts a day that it promises at most; absent for no promise."""


class Member(TypedDict):
    """A member of a chat."""

    account: Account
    """The account."""

    devices: list[DeviceKey]
    """Their devices in the chat."""

    name: NotRequired[str]
    """Their name."""

    role: NotRequired[Role]
    """Its role, in a group."""


class Members(TypedDict):
    """Result of `chat.members`."""

    items: list[Member]
    """Who is in the chat, by account."""


class Mention(TypedDict):
    """Somebody named in a text."""

    account: Account
    """Who."""

    length_bytes: int
    """How long it is there."""

    start_bytes: int
    """Where the name begins in the text's UTF-8."""


class Message(TypedDict):
    """A message."""

    account: Account
    """The author's account."""

    body: Body
    """What it says, after edits."""

    chat: ChatId
    """The chat it is in."""

    device: DeviceKey
    """The author's device."""

    edited_ms: NotRequired[int]
    """When its author changed it last, by its author's clock, in Unix milliseconds."""

    expires_after_s: NotRequired[int]
    """Seconds after which it disappears: from sending for an outgoing one, else from reading."""

    ledger: NotRequired[Ledger]
    """Who has it; only of outgoing ones."""

    message: MessageId
    """Its id."""

    name: NotRequired[str]
    """The author's name, as the contact's or else as it calls itself in the group; absent of own messages."""

    outgoing: bool
    """Whether this account wrote it."""

    pinned: NotRequired[Pinned]
    """Who keeps it in sight; absent if nobody does."""

    reactions: NotRequired[list[Reaction]]
    """Emoji that were left at it, the first one first."""

    received_ms: int
    """When this device stored it, in Unix milliseconds."""

    sent_ms: int
    """When it was written, by its author's clock, in Unix milliseconds."""


class MessageExpiredEvent(TypedDict):
    """A message disappeared in its time."""

    cursor: EventCursor

    data: MessageExpiredEventData

    epoch: EventEpoch

    kind: Literal["message.expired"]


class MessageExpiredEventData(TypedDict):
    """MessageExpiredEventData"""

    chat: ChatId
    """The chat."""

    message: MessageId
    """The message."""


class MessageLedgerEvent(TypedDict):
    """An own message got further."""

    cursor: EventCursor

    data: MessageLedgerEventData

    epoch: EventEpoch

    kind: Literal["message.ledger"]


class MessageLedgerEventData(TypedDict):
    """MessageLedgerEventData"""

    chat: ChatId
    """The chat."""

    ledger: Ledger
    """Who has it now."""

    message: MessageId
    """The message."""


class MessagePage(TypedDict):
    """One page of a list."""

    items: list[Message]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class MessageReceivedEvent(TypedDict):
    """A message of another was stored."""

    cursor: EventCursor

    data: Message

    epoch: EventEpoch

    kind: Literal["message.received"]


class MessageSentEvent(TypedDict):
    """An own message was stored."""

    cursor: EventCursor

    data: Message

    epoch: EventEpoch

    kind: Literal["message.sent"]


class MessageUpdatedEvent(TypedDict):
    """A message was edited or deleted, or got a reaction or a vote."""

    cursor: EventCursor

    data: Message

    epoch: EventEpoch

    kind: Literal["message.updated"]


class NewAlias(TypedDict):
    """As whom to ask."""

    name: NotRequired[str]
    """What it calls itself towards the other; no name unless given, and never yours."""


class NewCard(TypedDict):
    """A card that is to be posted."""

    buttons: NotRequired[list[WebLink]]
    """What can be opened from it."""

    image: NotRequired[SendFile]
    """Its picture: JPEG, PNG, WebP or GIF, written whole by `blob.put`."""

    text: NotRequired[str]
    """What it says."""

    title: str
    """Its title."""


class NewCoupon(TypedDict):
    """An offer that is to be posted."""

    card: NewCard
    """What is shown."""

    ends_s: int
    """Until when, in Unix seconds."""

    per_follower: NotRequired[int]
    """How many each follower gets; 0 for no limit."""

    starts_s: int
    """From when, in Unix seconds."""

    terms: NotRequired[str]
    """Its terms."""

    total: NotRequired[int]
    """How many there are; 0 for no limit."""


class NobodyShareBy(TypedDict):
    """Nobody."""

    kind: Literal["nobody"]


class NodeInfo(TypedDict):
    """Result of `node.info`."""

    account: Account
    """The account, `madang1…`."""

    device: DeviceKey
    """This device."""

    listen: list[str]
    """Multiaddrs on which the node listens."""

    peer: str
    """The network's name of this node."""

    relays: list[RelayInfo]
    """The relays it uses."""

    uptime_ms: int
    """Milliseconds since the start."""

    version: str
    """The program's version."""


class NoneShareAction(TypedDict):
    """Nothing."""

    kind: Literal["none"]

    reason: NoShareAction
    """Why."""


class OpenRpc(TypedDict):
    """An OpenRPC document: https://spec.open-rpc.org."""

    components: dict[str, Any]

    info: dict[str, Any]

    methods: list[dict[str, Any]]

    openrpc: str


class PageShareBy(TypedDict):
    """A page, as the sender claims."""

    kind: Literal["page"]

    origin: str
    """Which."""


class Phrase(TypedDict):
    """Result of `account.phrase`: the account's root."""

    words: list[str]
    """The words in order."""


class Pick(TypedDict):
    """A card that waits for the user."""

    app: NotRequired[AppKey]
    """The app that asks; none is a page that sent the user here."""

    card: ShareCard
    """The card."""

    pick: PickId
    """Names it."""

    until_ms: int
    """When it is forgotten, in Unix milliseconds."""


class PickPage(TypedDict):
    """One page of a list."""

    items: list[Pick]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class PickShown(TypedDict):
    """Result of `share.shown`."""

    app: NotRequired[AppKey]
    """The app that asks; none is a page that sent the user here."""

    card: ShareCard
    """The card."""

    html: str
    """The card as whoever receives it sees it: HTML as of `share.preview`."""

    pick: PickId
    """Names it."""

    until_ms: int
    """When it is forgotten, in Unix milliseconds."""


class Picked(TypedDict):
    """Result of `share.pick` and `share.picked`."""

    pick: PickId
    """Names it."""

    state: PickState
    """How it is."""

    to: NotRequired[list[Pseudonym]]
    """The chats that it was sent to."""

    url: str
    """Where the user chooses: a page of this node, for the user's browser."""


class PictureLeftOut(TypedDict):
    """A picture that a card goes without."""

    image: str
    """Its path in the card, like `share.content.image`."""

    reason: str
    """Why."""


class Pinned(TypedDict):
    """A message is kept in sight."""

    account: Account
    """By this account."""

    at_ms: int
    """Since when, by its clock, in Unix milliseconds."""


class Plan(TypedDict):
    """A post that is to be published later."""

    at_ms: int
    """When, in Unix milliseconds."""

    body: PostBody
    """What."""

    post: PostId
    """By which it is dropped."""


class PlanPage(TypedDict):
    """One page of a list."""

    items: list[Plan]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class PollBody(TypedDict):
    """A question with options to choose from."""

    kind: Literal["poll"]

    multiple: bool
    """Whether one may choose several."""

    options: list[PollOption]
    """What can be chosen, and who did."""

    question: str
    """The question."""


class PollFigures(TypedDict):
    """How a poll stands."""

    capped: bool
    """More answers came than are counted: too many for one poll, or too many at once."""

    open: bool
    """It can be answered."""

    options: list[int]
    """Who chose each option."""

    post: PostId
    """The post."""

    until_ms: int
    """Until when it can be answered, in Unix milliseconds, or when it was ended."""

    voters: int
    """Who answered."""


class PollNewPostBody(TypedDict):
    """A question."""

    kind: Literal["poll"]

    multiple: NotRequired[bool]
    """Whether one may choose several."""

    options: list[str]
    """What can be chosen, 2 to 12."""

    question: str
    """The question."""

    text: NotRequired[str]
    """What is written with it."""


class PollOption(TypedDict):
    """An option of a poll."""

    accounts: list[Account]
    """The accounts that chose it."""

    text: str
    """What it says."""


class PollPostBody(TypedDict):
    """A question."""

    kind: Literal["poll"]

    multiple: NotRequired[bool]
    """Whether one may choose several."""

    options: list[str]
    """What can be chosen."""

    question: str
    """The question."""

    result: NotRequired[PollResult]
    """What it has come to, once the channel says so."""

    text: NotRequired[str]
    """What is written with it."""

    until_ms: NotRequired[int]
    """Until when it can be answered, in Unix milliseconds; absent if it can't be."""

    vote: NotRequired[list[int]]
    """What this device has answered: places of options from 0."""


class PollResult(TypedDict):
    """What a poll has come to, as its channel says: rounded down to tens; 0 is fewer than 20."""

    counted_ms: int
    """When it was counted, in Unix milliseconds."""

    options: list[int]
    """Who chose each option."""

    voters: int
    """Who answered."""


class PollSendBody(TypedDict):
    """A question with options to choose from."""

    kind: Literal["poll"]

    multiple: NotRequired[bool]
    """Whether one may choose several."""

    options: list[str]
    """What can be chosen."""

    question: str
    """The question."""


class Post(TypedDict):
    """A post."""

    advertising: bool
    """It is advertising, by the channel's word."""

    area: NotRequired[Area]
    """Where it matters."""

    body: PostBody
    """What it says, after edits."""

    categories: NotRequired[list[str]]
    """Ids of the channel's categories."""

    channel: ChannelId
    """Where."""

    edited_ms: NotRequired[int]
    """When it was edited last, in Unix milliseconds."""

    held: NotRequired[list[Held]]
    """Relays that signed for it; only of own channels."""

    number: int
    """Its number among what the writer signed."""

    post: PostId
    """Its id."""

    provisional: bool
    """The channel's root hasn't confirmed it yet."""

    reason: NotRequired[str]
    """Why no relay has signed for it yet, if one refused it; it waits and is handed to them again. Only of own channels."""

    received_ms: int
    """When this device stored it, in Unix milliseconds."""

    retracted: NotRequired[Retracted]
    """It was taken back."""

    time_ms: int
    """By the writer's clock, in Unix milliseconds."""

    unwanted: NotRequired[HeldWhy]
    """Why the terms don't want it, if they don't."""

    urgent: bool
    """It is urgent, by the channel's word."""

    writer: WriterKey
    """Whose key signed it: the channel's own id, or an editor's."""


class PostPage(TypedDict):
    """Posts of a channel."""

    items: list[Post]
    """In ascending order of time."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes, from a relay where it isn't here. Absent at the start."""


class PostPage2(TypedDict):
    """One page of a list."""

    items: list[Post]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class PostbackShareAction(TypedDict):
    """Something is handed to the app by `share.reply`, once the user has seen it."""

    data: str
    """What."""

    kind: Literal["postback"]


class Posted(TypedDict):
    """Result of `channel.post`, `channel.edit` and `channel.retract`."""

    planned: bool
    """It is published later."""

    post: PostId
    """The id of the post, edit or retraction; of a planned post that of the plan, by which `channel.unplan` drops it."""


class Pseudonym(TypedDict):
    """A chat as an app knows it that wasn't told which it is: the same for this app each time, another for each app."""

    kind: PseudonymKind
    """What kind of chat it is."""

    pseudonym: str
    """Names it."""


class Reaction(TypedDict):
    """An emoji at a message."""

    accounts: list[Account]
    """The accounts that left it."""

    emoji: str
    """Which."""


class RecoveryMade(TypedDict):
    """Result of `channel.recovery_key`."""

    key: str
    """Whoever has it has the channel: keep it apart, as a recovery phrase."""


class RelayAddress(TypedDict):
    """Where a relay is."""

    addresses: list[str]
    """Its multiaddrs."""

    relay: RelayKey
    """The relay."""


class RelayDemotedEvent(TypedDict):
    """A relay broke its word and is demoted; see `relay.evidence`."""

    cursor: EventCursor

    data: RelayDemotedEventData

    epoch: EventEpoch

    kind: Literal["relay.demoted"]


class RelayDemotedEventData(TypedDict):
    """RelayDemotedEventData"""

    reason: str
    """What it did."""

    relay: RelayKey
    """The relay."""


class RelayFigures(TypedDict):
    """What one relay says of a channel. It counts peers, by their transport keys: each device once, also this one."""

    counted_ms: NotRequired[int]
    """When watchers were counted, in Unix milliseconds. A relay tells the same for an hour."""

    deliveries: NotRequired[Deliveries]
    """Peers to which it has handed the post. Absent if it doesn't count that, or no longer."""

    reason: NotRequired[str]
    """Why it refused, if it did: `not_allowed` if this account may not be told, `not_found` as long as nothing of the channel is kept there, `busy`, …"""

    relay: RelayKey
    """Which."""

    state: FiguresState
    """Whether it tells figures."""

    watchers: NotRequired[int]
    """Peers that watched the channel at `counted_ms`."""


class RelayInfo(TypedDict):
    """A relay that the node uses."""

    address: str
    """Its multiaddr."""

    connected: bool
    """Whether there is a connection now."""

    reason: NotRequired[str]
    """The gravest of what it did: `forgot` (its storage went back), `denied` (it lacks what it signed for), `junk`, `endless` or `unserved`."""

    relay: RelayKey
    """The relay."""

    since_ms: NotRequired[int]
    """Since when it is demoted, in Unix milliseconds."""

    state: RelayState
    """Whether its word counts."""


class ReplyShareAction(TypedDict):
    """An answer is begun in the chat; the user sends it, or doesn't."""

    kind: Literal["reply"]

    text: str
    """What it begins with."""


class ReportSent(TypedDict):
    """Result of `channel.report`."""

    relays: list[RelayKey]
    """Relays to which the report is on its way; event `channel.reported` tells of each what became of it."""


class Retracted(TypedDict):
    """A post was taken back."""

    reason: str
    """Why, for people; may be empty."""

    time_ms: int
    """When, in Unix milliseconds."""


class RetractedPostBody(TypedDict):
    """It was taken back."""

    kind: Literal["retracted"]


class SchemeShareAction(TypedDict):
    """The system opens an address of the app's own scheme."""

    kind: Literal["scheme"]

    url: str
    """With its parameters."""


class Scraped(TypedDict):
    """Result of `share.scrape`."""

    share: dict[str, Any]
    """A card by the schema of shares, for `share.pick` or `share.send`."""


class SearchHit(TypedDict):
    """A message that a search finds."""

    highlights: list[Highlight]
    """The places in `snippet` that were looked for, ascending, apart."""

    message: Message
    """The message as it is now."""

    snippet: str
    """The part of its text around the first place; `…` stands for what is left out."""


class SearchPage(TypedDict):
    """What a search finds."""

    complete: bool
    """Whether all messages were looked at. Not while the index is being made, as at the first start of a version that has one, or behind a rush of messages."""

    items: list[SearchHit]
    """The newest first. There may be fewer than `limit`, or none, although there is a `next`: a page ends when much was read."""

    next: NotRequired[PageCursor]
    """The `after` of the next page; absent at the end."""


class SendFile(TypedDict):
    """A file that is to be sent."""

    blob: BlobId
    """Its content, which was written whole."""

    caption: NotRequired[str]
    """What is written under it."""

    keep_metadata: NotRequired[bool]
    """Of an image: send where and when it was taken as well, which is removed otherwise."""

    media_type: NotRequired[str]
    """Its media type; told from the name if absent."""

    name: str
    """What it is called: no path."""

    waveform: NotRequired[str]
    """Of a voice note: loudness of equal stretches, a byte each; made from the content if that is WAV."""


class Sent(TypedDict):
    """Result of `message.send`."""

    ledger: Ledger
    """Where it is now."""

    message: MessageId
    """The message's permanent id."""


class ShareBody(TypedDict):
    """A card of an app or a page."""

    card: ShareCard
    """Which."""

    kind: Literal["share"]


class ShareCard(TypedDict):
    """A card in a message."""

    by: ShareBy
    """Who stands for it. A signature was checked."""

    fallback: str
    """The card as a text."""

    pictures: NotRequired[list[SharePicture]]
    """Its pictures that came with it, by their places in it."""

    share: dict[str, Any]
    """All that it says, by the schema of shares."""

    template: str
    """What kind of card it is."""


class ShareChecked(TypedDict):
    """Result of `share.validate`."""

    by: ShareBy
    """Who stands for it."""

    expires_ms: NotRequired[int]
    """When it ends, in Unix milliseconds."""

    length_bytes: int
    """Bytes of it as it travels."""


class ShareDeliveredEvent(TypedDict):
    """The first device of the chat has it."""

    cursor: EventCursor

    data: ShareDeliveredEventData

    epoch: EventEpoch

    kind: Literal["share.delivered"]


class ShareDeliveredEventData(TypedDict):
    """ShareDeliveredEventData"""

    app: NotRequired[AppKey]
    """The app that sent it; absent for the owner's own programs."""

    key: NotRequired[str]
    """The card's `key`, if it has one."""

    to: Pseudonym
    """The chat."""


class ShareDomain(TypedDict):
    """A domain that an app says it belongs to."""

    domain: str
    """Its name."""

    proved_ms: NotRequired[int]
    """When it was last seen to vouch for the app, in Unix milliseconds; see `share.prove`. Absent while it is but a claim."""


class ShareOpened(TypedDict):
    """Result of `share.open`."""

    action: ShareAction
    """What the tap does here."""


class ShareOpenedEvent(TypedDict):
    """Somebody opened a card, and lets its app know. Told to the app that sent it."""

    cursor: EventCursor

    data: ShareOpenedEventData

    epoch: EventEpoch

    kind: Literal["share.opened"]


class ShareOpenedEventData(TypedDict):
    """ShareOpenedEventData"""

    app: NotRequired[AppKey]
    """The app that sent it; absent for the owner's own programs."""

    key: NotRequired[str]
    """The card's `key`, if it has one."""

    to: Pseudonym
    """The chat."""


class SharePayloadEvent(TypedDict):
    """The user has opened a card that leads into this app. A second time with the same `key` and `button` is the same again."""

    cursor: EventCursor

    data: SharePayloadEventData

    epoch: EventEpoch

    kind: Literal["share.payload"]


class SharePayloadEventData(TypedDict):
    """SharePayloadEventData"""

    app: ShareAppId
    """The app that signed the card."""

    button: NotRequired[str]
    """What of it was tapped, by its path; absent for the card itself."""

    card: ShareCard
    """The card."""

    message: MessageId
    """Names the card for `share.reply`."""

    params: dict[str, Any]
    """What the app is opened with."""


class SharePicture(TypedDict):
    """A picture of a card."""

    file: Attachment
    """The file."""

    place: int
    """Which of the card's pictures, from 0."""


class SharePostbackEvent(TypedDict):
    """Somebody, or their app, answers a card. Told to the app that sent it."""

    cursor: EventCursor

    data: SharePostbackEventData

    epoch: EventEpoch

    kind: Literal["share.postback"]


class SharePostbackEventData(TypedDict):
    """SharePostbackEventData"""

    app: NotRequired[AppKey]
    """The app that sent it; absent for the owner's own programs."""

    button: NotRequired[str]
    """By which button, by its path; absent where an app answers."""

    data: str
    """What is handed back."""

    key: NotRequired[str]
    """The card's `key`, if it has one."""

    to: Pseudonym
    """The chat."""


class SharePreview(TypedDict):
    """Result of `share.preview`."""

    html: str
    """As HTML: one `article` without scripts, styles, frames and forms, which loads nothing."""

    text: str
    """As text; lines of the card's own are indented."""


class ShareProved(TypedDict):
    """Result of `share.prove`."""

    by: ShareBy
    """Who stands for the card, with what is known now."""

    unavailable: NotRequired[list[DomainUnavailable]]
    """Domains that couldn't be asked."""


class ShareReplied(TypedDict):
    """Result of `share.reply`."""

    reply: NotRequired[PickId]
    """Names one that waits."""

    state: ReplyState
    """What became of it."""


class ShareReplyWaitingEvent(TypedDict):
    """An app wants to answer a card, which is for the user to decide; see `share.replies`."""

    cursor: EventCursor

    data: WaitingReply

    epoch: EventEpoch

    kind: Literal["share.reply_waiting"]


class ShareSent(TypedDict):
    """A card that was sent to a chat."""

    chat: ChatId
    """The chat."""

    ledger: Ledger
    """Where it is now."""

    message: MessageId
    """The message."""

    to: Pseudonym
    """What the chat is called in this app's events."""


class ShareSentEvent(TypedDict):
    """A card is durable here, on its way to a chat. Told to the app that sent it, as what follows."""

    cursor: EventCursor

    data: ShareSentEventData

    epoch: EventEpoch

    kind: Literal["share.sent"]


class ShareSentEventData(TypedDict):
    """ShareSentEventData"""

    app: NotRequired[AppKey]
    """The app that sent it; absent for the owner's own programs."""

    key: NotRequired[str]
    """The card's `key`, if it has one."""

    to: Pseudonym
    """The chat."""


class ShareShareAction(TypedDict):
    """The user chooses other chats for the card."""

    kind: Literal["share"]


class SharesSent(TypedDict):
    """Result of `share.send`."""

    items: list[ShareSent]
    """One for each chat, in their order."""

    left_out: NotRequired[list[PictureLeftOut]]
    """Pictures that couldn't be fetched: the card goes without them."""


class TextBody(TypedDict):
    """Text."""

    kind: Literal["text"]

    mentions: NotRequired[list[Mention]]
    """Who is named in it, ascending."""

    reply_to: NotRequired[MessageId]
    """The message that it answers; it may be gone, or not be here yet."""

    text: str
    """What it says."""


class TextNewPostBody(TypedDict):
    """Text."""

    kind: Literal["text"]

    text: str
    """What it says."""


class TextPostBody(TypedDict):
    """Text."""

    kind: Literal["text"]

    text: str
    """What it says."""


class TextSendBody(TypedDict):
    """Text."""

    kind: Literal["text"]

    mentions: NotRequired[list[Mention]]
    """Who is named in it: whole characters of the text, ascending, without overlaps."""

    reply_to: NotRequired[MessageId]
    """The message that it answers."""

    text: str
    """What it says."""


class UnknownBody(TypedDict):
    """A kind that this version doesn't know."""

    code: int
    """The kind's number on the wire."""

    fallback: str
    """What its author wants shown instead."""

    kind: Literal["unknown"]


class UnknownPostBody(TypedDict):
    """A kind that this version doesn't know."""

    code: int
    """The kind's number."""

    kind: Literal["unknown"]

    text: str
    """What is to be shown instead."""


class VerifiedLinkShareAction(TypedDict):
    """The system opens an address on a domain of the app's in the app."""

    kind: Literal["verified_link"]

    url: str
    """With its parameters."""


class VoiceBody(TypedDict):
    """A voice note."""

    file: Attachment
    """Which."""

    kind: Literal["voice"]

    text: str
    """What is written with it."""


class VoiceSendBody(TypedDict):
    """A voice note: WAV, or Opus in Ogg."""

    file: SendFile
    """Which."""

    kind: Literal["voice"]

    text: NotRequired[str]
    """What is written with it."""


class Vouched(TypedDict):
    """Result of `channel.vouch`."""

    file: str
    """What to publish; what is there for other channels stays in it."""

    url: str
    """Where to publish it."""


class WaitingReply(TypedDict):
    """An answer of an app to a card, which waits for the user."""

    app: AppKey
    """The app that wants to answer."""

    button: NotRequired[str]
    """The button that hands `data` back, by its path; absent for what the app says itself."""

    data: str
    """What is handed back to the app that shared the card."""

    message: MessageId
    """The message with the card."""

    name: NotRequired[str]
    """What it calls itself, if it is still there."""

    reply: PickId
    """Names it."""

    until_ms: int
    """When it is forgotten, in Unix milliseconds."""


class WaitingReplyPage(TypedDict):
    """One page of a list."""

    items: list[WaitingReply]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class WebLink(TypedDict):
    """An address with a name."""

    actionable: NotRequired[bool]
    """Whether it may be opened: `https`, `http`, `mailto`, `tel` and `madang` addresses. Any other is only text."""

    label: str
    """What it is called."""

    url: str
    """Where it leads."""


class WebShareAction(TypedDict):
    """A page, or a place, a telephone or a mail address."""

    kind: Literal["web"]

    url: str
    """Which."""


class Webhook(TypedDict):
    """A webhook."""

    app: NotRequired[AppKey]
    """Whose it is; absent for the owner's own."""

    attempts: int
    """Posts since the last that was accepted."""

    cursor: EventCursor
    """The last event that was accepted there, or passed over."""

    filter: Filter
    """Which events."""

    last_error: NotRequired[str]
    """Why the last post wasn't accepted."""

    last_status: NotRequired[int]
    """The HTTP status of the last answer."""

    last_try_ms: NotRequired[int]
    """When it was tried last, in Unix milliseconds."""

    next_try_ms: NotRequired[int]
    """When it is tried again, in Unix milliseconds."""

    state: WebhookState
    """How it is."""

    url: str
    """Where events are posted."""


class WebhookDisabledEvent(TypedDict):
    """A webhook failed for too long, or its receiver wants no more; see `event.webhooks`."""

    cursor: EventCursor

    data: WebhookDisabledEventData

    epoch: EventEpoch

    kind: Literal["webhook.disabled"]


class WebhookDisabledEventData(TypedDict):
    """WebhookDisabledEventData"""

    app: NotRequired[AppKey]
    """Whose it is; absent for the owner's own."""

    last_status: NotRequired[int]
    """What its receiver answered last, as an HTTP status."""


class WebhookMade(TypedDict):
    """Result of `event.webhook_set`."""

    secret: Secret
    """What its posts are signed with; shown only now."""

    webhook: Webhook
    """The webhook."""


class WebhookPage(TypedDict):
    """One page of a list."""

    items: list[Webhook]
    """The items in the list's order."""

    next: NotRequired[PageCursor]
    """As `after` it gives the page that follows. Absent at the end."""

    prev: NotRequired[PageCursor]
    """As `before` it gives the page that precedes. Absent at the start and in lists that only go forward."""


class WriterKeyMade(TypedDict):
    """Result of `channel.writer_key`."""

    writer: WriterKey
    """The key, for the channel's root to certify."""


class Written(TypedDict):
    """How far an upload is."""

    blob: NotRequired[BlobId]
    """The content, once it is sealed whole."""

    upload: BlobId
    """The number of the upload."""

    written_bytes: int
    """Where it goes on: bytes that are sealed and on disk."""

Body = Union[
    TextBody,
    PollBody,
    FileBody,
    ImageBody,
    VoiceBody,
    AlbumBody,
    ShareBody,
    ChannelBody,
    DeletedBody,
    UnknownBody,
]
"""What a message says."""

Event = Union[
    MessageReceivedEvent,
    MessageSentEvent,
    MessageLedgerEvent,
    MessageUpdatedEvent,
    MessageExpiredEvent,
    BlobProgressEvent,
    ChatUpdatedEvent,
    RelayDemotedEvent,
    ChatGapEvent,
    ChatTypingEvent,
    ContactRequestedEvent,
    ContactAddedEvent,
    ChannelUpdatedEvent,
    ChannelPostEvent,
    ChannelPostUpdatedEvent,
    ChannelEvidenceEvent,
    ChannelReportedEvent,
    ChannelGapEvent,
    WebhookDisabledEvent,
    SharePayloadEvent,
    ShareReplyWaitingEvent,
    ShareSentEvent,
    ShareDeliveredEvent,
    ShareOpenedEvent,
    SharePostbackEvent,
    AppRequestedEvent,
    GapEvent,
    LaggedEvent,
]
"""An entry of the event log."""

NewPostBody = Union[
    TextNewPostBody,
    AlbumNewPostBody,
    CardNewPostBody,
    CarouselNewPostBody,
    EventNewPostBody,
    PollNewPostBody,
    CouponNewPostBody,
]
"""What can be posted."""

PostBody = Union[
    TextPostBody,
    AlbumPostBody,
    CardPostBody,
    CarouselPostBody,
    EventPostBody,
    PollPostBody,
    CouponPostBody,
    RetractedPostBody,
    UnknownPostBody,
]
"""What a post says."""

SendBody = Union[
    TextSendBody,
    PollSendBody,
    FileSendBody,
    ImageSendBody,
    VoiceSendBody,
    AlbumSendBody,
    ChannelSendBody,
]
"""A body that can be sent."""

ShareAction = Union[
    HandlerShareAction,
    VerifiedLinkShareAction,
    SchemeShareAction,
    InstallShareAction,
    WebShareAction,
    ReplyShareAction,
    CopyShareAction,
    FollowShareAction,
    PostbackShareAction,
    ShareShareAction,
    NoneShareAction,
]
"""What a tap on a card does. Only `handler` was done by the node; the rest is for the program to do, or to ask the user about."""

ShareBy = Union[
    AppShareBy,
    PageShareBy,
    NobodyShareBy,
]
"""Who stands for a card. Of an app the signatures were checked, of a page and of nobody there are none."""


class Call(Protocol):
    """Calls a method by its name."""

    def __call__(self, method: str, params: dict[str, Any]) -> Any: ...


class RpcMethods:
    """The methods `rpc.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def discover(self) -> OpenRpc:
        """This JSON-RPC, as an OpenRPC document."""
        result: OpenRpc = self._call("rpc.discover", {})
        return result


class NodeMethods:
    """The methods `node.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def info(self) -> NodeInfo:
        """This node: its account and device, its addresses, the relays that it uses."""
        result: NodeInfo = self._call("node.info", {})
        return result

    def doctor(self) -> Doctor:
        """Looks for what keeps messages from flowing, and what the user can do about it."""
        result: Doctor = self._call("node.doctor", {})
        return result


class AccountMethods:
    """The methods `account.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def get(self) -> AccountInfo:
        """This account."""
        result: AccountInfo = self._call("account.get", {})
        return result

    def phrase(self) -> Phrase:
        """The account's recovery phrase.

        It is gone once it was confirmed: `phrase_erased`.
        """
        result: Phrase = self._call("account.phrase", {})
        return result

    def confirm_phrase(self) -> Done:
        """Says that the user has written the phrase down: the root key is erased from this device."""
        result: Done = self._call("account.confirm_phrase", {})
        return result


class ContactMethods:
    """The methods `contact.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def invite(self, *, expires_in_s: int | None = None, multi_use: bool | None = None) -> Invite:
        """Makes a link by which others ask for contact.

        expires_in_s: How long it works, in seconds; seven days unless given, 90 at most.
        multi_use: Whether more than one account may use it.
        """
        result: Invite = self._call("contact.invite", {"expires_in_s": expires_in_s, "multi_use": multi_use})
        return result

    def accept(self, *, invite: Link, alias: NewAlias | None = None) -> ChatRef:
        """Asks for contact by a link, or to be let into a group by its link.

        Waits up to 20 s for the inviter's card. The chat is `requested` until the other side has approved.

        invite: The link.
        alias: Asks under an alias: as another account, made for this chat alone, whose other side learns nothing of yours. An alias of the same name with the same inviter is one alias, and its chat the result. Not for invites of groups, nor of those who name no relay.
        """
        result: ChatRef = self._call("contact.accept", {"invite": invite, "alias": alias})
        return result

    def requests(self, *, after: PageCursor | None = None, limit: int | None = None) -> ContactRequestPage:
        """Requests that wait for the user: for contact, or with `chat` to be let into that group.

        after: `next` of the page before; absent for the first.
        limit: Items at most; counts as 1,000 if above.
        """
        result: ContactRequestPage = self._call("contact.requests", {"after": after, "limit": limit})
        return result

    def approve(self, *, request: RequestId) -> ChatRef:
        """Approves a request.

        request: The request.
        """
        result: ChatRef = self._call("contact.approve", {"request": request})
        return result

    def decline(self, *, request: RequestId) -> Done:
        """Drops a request; whoever asked isn't told.

        request: The request.
        """
        result: Done = self._call("contact.decline", {"request": request})
        return result

    def list(self, *, after: PageCursor | None = None, limit: int | None = None) -> ContactPage:
        """Contacts.

        after: `next` of the page before; absent for the first.
        limit: Items at most; counts as 1,000 if above.
        """
        result: ContactPage = self._call("contact.list", {"after": after, "limit": limit})
        return result


class ChatMethods:
    """The methods `chat.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def list(self, *, after: PageCursor | None = None, limit: int | None = None) -> ChatPage:
        """Chats; of a token that names single chats those.

        after: `next` of the page before; absent for the first.
        limit: Items at most; counts as 1,000 if above.
        """
        result: ChatPage = self._call("chat.list", {"after": after, "limit": limit})
        return result

    def get(self, *, chat: ChatId) -> ChatDetails:
        """A chat, and how its state is.

        chat: The chat.
        """
        result: ChatDetails = self._call("chat.get", {"chat": chat})
        return result

    def members(self, *, chat: ChatId) -> Members:
        """Who is in a chat.

        chat: The chat.
        """
        result: Members = self._call("chat.members", {"chat": chat})
        return result

    def gaps(self, *, chat: ChatId) -> Gaps:
        """What is missing of others' messages in a chat.

        chat: The chat.
        """
        result: Gaps = self._call("chat.gaps", {"chat": chat})
        return result

    def pins(self, *, chat: ChatId) -> MessagePage:
        """Messages that are kept in sight in a chat, the ones that came to be so last first; 100 at most.

        chat: The chat.
        """
        result: MessagePage = self._call("chat.pins", {"chat": chat})
        return result

    def create(self, *, members: Sequence[Account], idempotency_key: str | None = None, name: str | None = None) -> ChatRef:
        """Makes a group of contacts. Its relays are the creator's.

        members: Accounts of contacts.
        idempotency_key: The same key with the same name and members gives the same chat, for seven days; with others an error.
        name: Its name.
        """
        result: ChatRef = self._call("chat.create", {"members": members, "idempotency_key": idempotency_key, "name": name})
        return result

    def add(self, *, chat: ChatId, members: Sequence[Account]) -> Chat:
        """Adds contacts to a group, as an admin.

        Answers once the change is durable here, with the chat as it is then. If another's change wins, it is made again by itself.

        chat: The chat.
        members: Accounts.
        """
        result: Chat = self._call("chat.add", {"chat": chat, "members": members})
        return result

    def remove(self, *, chat: ChatId, members: Sequence[Account]) -> Chat:
        """Removes members from a group, as an admin of higher rank.

        Whoever is removed neither finds nor reads what follows.

        chat: The chat.
        members: Accounts.
        """
        result: Chat = self._call("chat.remove", {"chat": chat, "members": members})
        return result

    def leave(self, *, chat: ChatId) -> Chat:
        """Leaves a group: the others are asked to remove this account.

        The chat's `state` becomes `left` once one of them has.

        chat: The chat.
        """
        result: Chat = self._call("chat.leave", {"chat": chat})
        return result

    def invite(self, *, chat: ChatId, approval: bool | None = None, expires_in_s: int | None = None, max_uses: int | None = None) -> Invite:
        """Makes an invite link of a group, as an admin; for `contact.accept`.

        Who was removed from the group waits for approval in any case.

        chat: The group.
        approval: Whether each guest waits in `contact.requests` for the user; else this node lets it in while it runs.
        expires_in_s: How long it works, in seconds; seven days unless given, 90 at most.
        max_uses: How many it lets in; 1,000 unless given.
        """
        result: Invite = self._call("chat.invite", {"chat": chat, "approval": approval, "expires_in_s": expires_in_s, "max_uses": max_uses})
        return result

    def invites(self, *, chat: ChatId) -> GroupInvites:
        """This account's open links of a group.

        chat: The chat.
        """
        result: GroupInvites = self._call("chat.invites", {"chat": chat})
        return result

    def uninvite(self, *, invite: Link) -> Done:
        """Takes a link of a group back: it lets nobody in any more.

        Requests by it are gone. So it is for links whose maker is no admin any more.

        invite: The link.
        """
        result: Done = self._call("chat.uninvite", {"invite": invite})
        return result

    def update(self, *, chat: ChatId, name: str | None = None, picture: str | None = None, timer_s: int | None = None) -> Chat:
        """Changes a chat's name, picture or timer; what is absent stays. In a one-to-one chat only the timer.

        chat: The chat.
        name: Its name.
        picture: A small picture, in base64; empty for none.
        timer_s: Seconds after which messages disappear; 0 for never.
        """
        result: Chat = self._call("chat.update", {"chat": chat, "name": name, "picture": picture, "timer_s": timer_s})
        return result

    def typing(self, *, chat: ChatId, active: bool | None = None) -> Done:
        """Tells members' devices that are connected now that the user types, or has stopped.

        At most once in 5 s for a chat; more is left out without an error. It goes by no relay and is kept by nobody.

        chat: The chat.
        active: False once the user has stopped.
        """
        result: Done = self._call("chat.typing", {"chat": chat, "active": active})
        return result

    def roles(self, *, account: Account, chat: ChatId, role: Role) -> Chat:
        """Changes a member's rank, as an admin of higher rank. Making an `owner` gives one's own place away.

        account: Whose role.
        chat: The chat.
        role: The new role. Making an owner gives one's own place away.
        """
        result: Chat = self._call("chat.roles", {"account": account, "chat": chat, "role": role})
        return result


class MessageMethods:
    """The methods `message.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def send(self, *, body: SendBody, chat: ChatId, idempotency_key: str | None = None) -> Sent:
        """Sends a message: answers when it is durable here.

        The id stays, but for what is sent on data that turns out to be an old copy: it gets another one, `message.updated` tells it, and the one that was answered leads to it in this node's answers.

        body: What.
        chat: Where to.
        idempotency_key: The same key with the same chat and body gives the same message, for seven days; with another body an error.
        """
        result: Sent = self._call("message.send", {"body": body, "chat": chat, "idempotency_key": idempotency_key})
        return result

    def edit(self, *, message: MessageId, text: str, mentions: Sequence[Mention] | None = None) -> Message:
        """Changes a text that this account wrote.

        message: The message.
        text: What it says from now on.
        mentions: Who is named in that.
        """
        result: Message = self._call("message.edit", {"message": message, "text": text, "mentions": mentions})
        return result

    def delete(self, *, message: MessageId) -> Message:
        """Takes a message back that this account wrote.

        message: The message.
        """
        result: Message = self._call("message.delete", {"message": message})
        return result

    def react(self, *, emoji: str, message: MessageId, remove: bool | None = None) -> Message:
        """Leaves an emoji at a message, or takes it back.

        emoji: Which.
        message: The message.
        remove: Whether it is taken back.
        """
        result: Message = self._call("message.react", {"emoji": emoji, "message": message, "remove": remove})
        return result

    def pin(self, *, message: MessageId) -> Message:
        """Keeps a message in sight for all of its chat; in a group as an admin.

        It counts while whoever pinned it is an admin.

        message: The message.
        """
        result: Message = self._call("message.pin", {"message": message})
        return result

    def unpin(self, *, message: MessageId) -> Message:
        """Keeps a message in sight no longer; in a group as an admin.

        message: The message.
        """
        result: Message = self._call("message.unpin", {"message": message})
        return result

    def vote(self, *, choices: Sequence[int], message: MessageId) -> Message:
        """Votes in a poll.

        choices: Places of the chosen options, from 0; none takes the vote back.
        message: The poll.
        """
        result: Message = self._call("message.vote", {"choices": choices, "message": message})
        return result

    def search(self, *, query: str, account: Account | None = None, after: PageCursor | None = None, after_ms: int | None = None, before_ms: int | None = None, chat: ChatId | None = None, limit: int | None = None) -> SearchPage:
        """Finds messages by words, the newest first.

        query: Words, all of which a message has; case, accents and compatible forms don't count. Hangul and other writing without spaces is found anywhere in a word, the words of alphabets by how they begin.
        account: Only what this account wrote.
        after: `next` of the page before; absent for the first.
        after_ms: Only what was sent then or later, in Unix milliseconds.
        before_ms: Only what was sent before then, in Unix milliseconds.
        chat: Only in this chat.
        limit: Items at most; counts as 1,000 if above.
        """
        result: SearchPage = self._call("message.search", {"query": query, "account": account, "after": after, "after_ms": after_ms, "before_ms": before_ms, "chat": chat, "limit": limit})
        return result

    def list(self, *, chat: ChatId, after: PageCursor | None = None, at_ms: int | None = None, before: PageCursor | None = None, limit: int | None = None) -> MessagePage:
        """Messages of a chat in the order shown; without `before`, `after` and `at_ms` the newest.

        chat: Of which chat.
        after: `next` of a page: the messages after it.
        at_ms: A time in Unix milliseconds: the first message that was sent then or later, and those after it; the newest if there is none. Not together with the others.
        before: `prev` of a page: the messages before it. Not together with `after`.
        limit: Items at most; counts as 1,000 if above.
        """
        result: MessagePage = self._call("message.list", {"chat": chat, "after": after, "at_ms": at_ms, "before": before, "limit": limit})
        return result

    def get(self, *, message: MessageId) -> Message:
        """A message.

        message: The message.
        """
        result: Message = self._call("message.get", {"message": message})
        return result

    def mark_read(self, *, chat: ChatId, through: MessageId) -> Done:
        """Marks a chat's messages as read.

        chat: The chat.
        through: The last message that was read; all shown before it count as read too.
        """
        result: Done = self._call("message.mark_read", {"chat": chat, "through": through})
        return result


class BlobMethods:
    """The methods `blob.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def put(self, *, length_bytes: int, strip_metadata: bool | None = None) -> Written:
        """Begins an upload of a file that is to be sent.

        Its content goes by `blob.write`, or by `PATCH /blob/UPLOAD` with `Upload-Offset`; `blob.stat` says where it goes on after an interruption. What is not written to for a day, or named by no message, is forgotten.

        length_bytes: Bytes of the whole content.
        strip_metadata: It is an image of which nothing shall be told beside the picture: where and when it was taken, by which device. Needed for images unless these are sent with `keep_metadata`.
        """
        result: Written = self._call("blob.put", {"length_bytes": length_bytes, "strip_metadata": strip_metadata})
        return result

    def write(self, *, data: str, offset_bytes: int, upload: BlobId) -> Written:
        """Writes the next part of an upload: it is sealed and on disk when this answers, with `blob` once it was the last.

        data: Whole chunks of 61,440 bytes, or all that is left.
        offset_bytes: Where it goes on: `written_bytes` of the answer before.
        upload: The upload.
        """
        result: Written = self._call("blob.write", {"data": data, "offset_bytes": offset_bytes, "upload": upload})
        return result

    def stat(self, *, blob: BlobId) -> Blob:
        """How a file is, by its content or the number of its upload.

        blob: The content, or the number of the upload.
        """
        result: Blob = self._call("blob.stat", {"blob": blob})
        return result

    def fetch(self, *, message: MessageId) -> Blobs:
        """Fetches the files of a message from whoever has them; answers how they are at once.

        Event `blob.progress` tells how it goes. What was begun goes on after a restart. Small files are fetched when their message comes.

        message: The message.
        """
        result: Blobs = self._call("blob.fetch", {"message": message})
        return result

    def get(self, *, blob: BlobId, length_bytes: int | None = None, offset_bytes: int | None = None) -> BlobPart:
        """Reads a part of a file that is here whole. `GET /blob/ID` reads it too, with `Range`.

        blob: The content.
        length_bytes: Bytes at most; counts as 491,520 if absent or above.
        offset_bytes: Where to begin.
        """
        result: BlobPart = self._call("blob.get", {"blob": blob, "length_bytes": length_bytes, "offset_bytes": offset_bytes})
        return result

    def cancel(self, *, blob: BlobId) -> Done:
        """Ends an upload or a fetch, and forgets what is here of it; also frees the room of a file that was fetched.

        blob: The content, or the number of the upload.
        """
        result: Done = self._call("blob.cancel", {"blob": blob})
        return result


class ChannelMethods:
    """The methods `channel.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def list(self, *, after: PageCursor | None = None, limit: int | None = None) -> ChannelPage:
        """Channels that are followed, blocked or this account's own, by id; of a token that names single channels those.

        after: `next` of the page before; absent for the first.
        limit: Items at most; counts as 1,000 if above.
        """
        result: ChannelPage = self._call("channel.list", {"after": after, "limit": limit})
        return result

    def get(self, *, channel: ChannelId) -> Channel:
        """A channel: what it says of itself, and what is missing of it.

        channel: The channel.
        """
        result: Channel = self._call("channel.get", {"channel": channel})
        return result

    def create(self, *, name: str, advertising_label: str | None = None, categories: Sequence[Category] | None = None, description: str | None = None, domain: str | None = None, idempotency_key: str | None = None, inbox: str | None = None, links: Sequence[WebLink] | None = None, posts_per_day: int | None = None, relays: Sequence[str] | None = None) -> Channel:
        """Makes a channel. Its relays are this account's.

        name: What it calls itself.
        advertising_label: What its advertising is labelled with; empty for none.
        categories: What its posts can be of.
        description: For people.
        domain: The domain that it belongs to; empty for none.
        idempotency_key: The same key with the same name gives the same channel, for seven days; with another name an error.
        inbox: An invite link by which followers write back; empty for none.
        links: Addresses.
        posts_per_day: Posts a day that it promises at most; 0 for no promise.
        relays: Where it is kept, as multiaddrs that end in `/p2p/…`: one relay at least. New ones are handed its newest posts, and who follows goes there.
        """
        result: Channel = self._call("channel.create", {"name": name, "advertising_label": advertising_label, "categories": categories, "description": description, "domain": domain, "idempotency_key": idempotency_key, "inbox": inbox, "links": links, "posts_per_day": posts_per_day, "relays": relays})
        return result

    def update(self, *, channel: ChannelId, advertising_label: str | None = None, categories: Sequence[Category] | None = None, description: str | None = None, domain: str | None = None, inbox: str | None = None, links: Sequence[WebLink] | None = None, name: str | None = None, posts_per_day: int | None = None, relays: Sequence[str] | None = None) -> Channel:
        """Changes what an own channel says of itself; what is absent stays.

        channel: The channel.
        advertising_label: What its advertising is labelled with; empty for none.
        categories: What its posts can be of.
        description: For people.
        domain: The domain that it belongs to; empty for none.
        inbox: An invite link by which followers write back; empty for none.
        links: Addresses.
        name: What it calls itself.
        posts_per_day: Posts a day that it promises at most; 0 for no promise.
        relays: Where it is kept, as multiaddrs that end in `/p2p/…`: one relay at least. New ones are handed its newest posts, and who follows goes there.
        """
        result: Channel = self._call("channel.update", {"channel": channel, "advertising_label": advertising_label, "categories": categories, "description": description, "domain": domain, "inbox": inbox, "links": links, "name": name, "posts_per_day": posts_per_day, "relays": relays})
        return result

    def follow(self, *, link: ChannelLink, via: Via | None = None) -> Channel:
        """Follows a channel by its link.

        Answers at once; what it says comes from its relays, and `channel.updated` tells it.

        link: The channel's link.
        via: By whom its posts come.
        """
        result: Channel = self._call("channel.follow", {"link": link, "via": via})
        return result

    def via(self, *, channel: ChannelId, via: Via) -> Channel:
        """Says by whom a channel's posts come: its relays alone, or followers too, who pass them on to each other.

        With `followers` this node is named to others who follow the channel, with its addresses, and whoever is connected to it learns that it follows. It is how nobody can show two followers two versions for long, and how posts come while all relays are away.

        channel: A channel that is followed, or an own one.
        via: By whom its posts come.
        """
        result: Channel = self._call("channel.via", {"channel": channel, "via": via})
        return result

    def unfollow(self, *, channel: ChannelId) -> Done:
        """Follows a channel no longer, and forgets what is here of it.

        channel: The channel.
        """
        result: Done = self._call("channel.unfollow", {"channel": channel})
        return result

    def mute(self, *, channel: ChannelId, muted: bool | None = None) -> Channel:
        """Has the user told of a channel's new posts no longer, or again. They come all the same.

        channel: The channel.
        muted: False to be told again.
        """
        result: Channel = self._call("channel.mute", {"channel": channel, "muted": muted})
        return result

    def block(self, *, channel: ChannelId, blocked: bool | None = None) -> Done:
        """Has nothing to do with a channel any more, or allows it again: it is followed no longer, and can't be.

        channel: The channel; it needn't be followed.
        blocked: False to allow it again.
        """
        result: Done = self._call("channel.block", {"channel": channel, "blocked": blocked})
        return result

    def report(self, *, channel: ChannelId, post: PostId, reason: ReportReason, block: bool | None = None, text: str | None = None) -> ReportSent:
        """Reports a post of a followed channel to the operators of the channel's relays, with its envelope as evidence, and blocks the channel in the same step if `block` says so.

        It says nothing of who reports; a relay sees the connection that it comes by. It waits for relays that are away, for a week; event `channel.reported` tells of each relay whether it has it. A post that is on its way already isn't reported once more.

        channel: A channel that is followed.
        post: The post.
        reason: Why.
        block: Block the channel in the same step.
        text: For the operators; they see nothing else of who reports.
        """
        result: ReportSent = self._call("channel.report", {"channel": channel, "post": post, "reason": reason, "block": block, "text": text})
        return result

    def preview(self, *, body: NewPostBody, channel: ChannelId, advertising: bool | None = None, area: Area | None = None, at_ms: int | None = None, categories: Sequence[str] | None = None, urgent: bool | None = None) -> Post:
        """What a follower would see of a post: it is checked and shown as if it had come, but neither kept nor sent. Its id is zeros, and the follower's own terms aren't known here.

        body: What it says.
        channel: A channel that this account may write on.
        advertising: It is advertising.
        area: Where it matters; followers' nodes compare.
        at_ms: When it would be published, in Unix milliseconds; at once if absent or past.
        categories: Ids of the channel's categories that it is of; none for all who follow.
        urgent: It is urgent.
        """
        result: Post = self._call("channel.preview", {"body": body, "channel": channel, "advertising": advertising, "area": area, "at_ms": at_ms, "categories": categories, "urgent": urgent})
        return result

    def post(self, *, body: NewPostBody, channel: ChannelId, advertising: bool | None = None, area: Area | None = None, at_ms: int | None = None, categories: Sequence[str] | None = None, idempotency_key: str | None = None, urgent: bool | None = None) -> Posted:
        """Posts on an own channel, now or at a time: answers when it is durable here.

        body: What it says.
        channel: An own channel.
        advertising: It is advertising.
        area: Where it matters; followers' nodes compare.
        at_ms: When it is published, in Unix milliseconds; at once if absent or past.
        categories: Ids of the channel's categories that it is of; none for all who follow.
        idempotency_key: The same key with the same post gives the same id, for seven days; with another one an error.
        urgent: It is urgent.
        """
        result: Posted = self._call("channel.post", {"body": body, "channel": channel, "advertising": advertising, "area": area, "at_ms": at_ms, "categories": categories, "idempotency_key": idempotency_key, "urgent": urgent})
        return result

    def plans(self, *, channel: ChannelId) -> PlanPage:
        """Posts of an own channel that are to be published later.

        channel: The channel.
        """
        result: PlanPage = self._call("channel.plans", {"channel": channel})
        return result

    def unplan(self, *, channel: ChannelId, post: PostId) -> Done:
        """Drops a post that was to be published later.

        channel: The channel.
        post: The post.
        """
        result: Done = self._call("channel.unplan", {"channel": channel, "post": post})
        return result

    def edit(self, *, body: NewPostBody, channel: ChannelId, post: PostId, advertising: bool | None = None, area: Area | None = None, categories: Sequence[str] | None = None, urgent: bool | None = None) -> Posted:
        """Gives a post of an own channel another content. Both stay in the channel's log.

        body: What it says.
        channel: An own channel.
        post: Which post.
        advertising: It is advertising.
        area: Where it matters; followers' nodes compare.
        categories: Ids of the channel's categories that it is of; none for all who follow.
        urgent: It is urgent.
        """
        result: Posted = self._call("channel.edit", {"body": body, "channel": channel, "post": post, "advertising": advertising, "area": area, "categories": categories, "urgent": urgent})
        return result

    def retract(self, *, channel: ChannelId, post: PostId, reason: str | None = None) -> Posted:
        """Takes a post of an own channel back. It stays in the channel's log, and isn't shown.

        channel: An own channel.
        post: Which post.
        reason: Why, for people.
        """
        result: Posted = self._call("channel.retract", {"channel": channel, "post": post, "reason": reason})
        return result

    def posts(self, *, channel: ChannelId, after: PageCursor | None = None, before: PageCursor | None = None, limit: int | None = None) -> PostPage:
        """Posts of a channel by time; without `before` and `after` the newest. Older ones come from a relay where they aren't here.

        channel: Of which channel.
        after: `next` of a page: the posts after it.
        before: `prev` of a page: the posts before it. Not together with `after`.
        limit: Items at most; counts as 1,000 if above.
        """
        result: PostPage = self._call("channel.posts", {"channel": channel, "after": after, "before": before, "limit": limit})
        return result

    def fetch(self, *, channel: ChannelId, post: PostId) -> Blobs:
        """Fetches the files of a post; answers how they are at once. Event `blob.progress` tells how it goes.

        channel: The channel.
        post: The post.
        """
        result: Blobs = self._call("channel.fetch", {"channel": channel, "post": post})
        return result

    def mark_read(self, *, channel: ChannelId, post: PostId) -> Done:
        """Marks posts as seen, up to one.

        channel: The channel.
        post: The post.
        """
        result: Done = self._call("channel.mark_read", {"channel": channel, "post": post})
        return result

    def evidence(self, *, channel: ChannelId) -> ChannelEvidencePage:
        """What was kept as proof that a channel's writers signed what contradicts itself.

        channel: The channel.
        """
        result: ChannelEvidencePage = self._call("channel.evidence", {"channel": channel})
        return result

    def verify(self, *, data: str) -> ChannelEvidence:
        """Checks evidence against a channel, whoever gives it: says what it proves, without asking anybody.

        data: Evidence, as `channel.evidence` gives it, or the envelope of an entry, as a relay's operator has it of a post that was reported.
        """
        result: ChannelEvidence = self._call("channel.verify", {"data": data})
        return result

    def terms(self, *, channel: ChannelId, terms: ChannelTerms) -> Channel:
        """Says what of a followed channel is wanted, and when, in place of what was. It is weighed on this device, and nobody learns of it.

        What is held back waits in `held` of `channel.get`; `channel.post` tells it when its time has come.

        channel: The channel.
        terms: What is wanted of it, in place of what was.
        """
        result: Channel = self._call("channel.terms", {"channel": channel, "terms": terms})
        return result

    def digest(self, *, channel: ChannelId) -> PostPage2:
        """Opens the digest: the posts that were held back, which nothing is any more.

        channel: The channel.
        """
        result: PostPage2 = self._call("channel.digest", {"channel": channel})
        return result

    def vote(self, *, channel: ChannelId, choices: Sequence[int], post: PostId) -> Post:
        """Answers a poll of a followed channel, in place of an earlier answer.

        Only whoever posted the poll can read the answer, and learns nothing of who gave it. The channel's relays see that this device has answered.

        channel: A channel that is followed.
        choices: Places of the chosen options from 0; none takes the answer back.
        post: The post.
        """
        result: Post = self._call("channel.vote", {"channel": channel, "choices": choices, "post": post})
        return result

    def figures(self, *, channel: ChannelId, post: PostId | None = None) -> ChannelFigures:
        """Figures of a channel on which this account writes, rounded down to tens and none below 20: how many watch it at each of its relays, to how many these have handed a post, and polls.

        The relays are asked; one that doesn't answer within ten seconds is `silent`.

        channel: A channel on which this account writes.
        post: A post: then relays are asked to how many it was handed, too, and of polls only it is shown.
        """
        result: ChannelFigures = self._call("channel.figures", {"channel": channel, "post": post})
        return result

    def publish_result(self, *, channel: ChannelId, post: PostId) -> Post:
        """Tells followers what a poll that this device posted has come to so far, by an edit of the post.

        channel: The channel.
        post: The post.
        """
        result: Post = self._call("channel.publish_result", {"channel": channel, "post": post})
        return result

    def writer_key(self, *, channel: ChannelId) -> WriterKeyMade:
        """A key of this account's to write on a followed channel with, once its root certifies it; the same each time.

        channel: The channel.
        """
        result: WriterKeyMade = self._call("channel.writer_key", {"channel": channel})
        return result

    def certify(self, *, channel: ChannelId, scopes: Sequence[WriterScope], until_ms: int, writer: WriterKey, categories: Sequence[str] | None = None) -> Certified:
        """Lets a key write on an own channel: gives the certificate for its holder.

        channel: The channel.
        scopes: What for.
        until_ms: Until when, in Unix milliseconds.
        writer: The key, as `channel.writer_key` gave it to its holder.
        categories: In which of the channel's categories; all if absent.
        """
        result: Certified = self._call("channel.certify", {"channel": channel, "scopes": scopes, "until_ms": until_ms, "writer": writer, "categories": categories})
        return result

    def use_certificate(self, *, certificate: WriterCertificate) -> Channel:
        """Uses a certificate. With the scope `root` the channel is this account's from then on.

        certificate: As `channel.certify` gave it.
        """
        result: Channel = self._call("channel.use_certificate", {"certificate": certificate})
        return result

    def writers(self, *, channel: ChannelId) -> ChannelWriterPage:
        """Who may write on an own channel beside its root.

        channel: The channel.
        """
        result: ChannelWriterPage = self._call("channel.writers", {"channel": channel})
        return result

    def revoke(self, *, channel: ChannelId, writer: WriterKey) -> Done:
        """Lets a key write no longer on an own channel. What it wrote until now stays.

        channel: The channel.
        writer: Whose key.
        """
        result: Done = self._call("channel.revoke", {"channel": channel, "writer": writer})
        return result

    def recovery_key(self, *, channel: ChannelId) -> RecoveryMade:
        """Makes a key that takes an own channel back should this account's be lost or stolen. It isn't kept here, and takes the place of earlier ones.

        channel: The channel.
        """
        result: RecoveryMade = self._call("channel.recovery_key", {"channel": channel})
        return result

    def recover(self, *, key: RecoveryKey) -> Channel:
        """Takes a channel back: it is this account's from then on.

        key: As `channel.recovery_key` gave it.
        """
        result: Channel = self._call("channel.recover", {"key": key})
        return result

    def enlist(self, *, channel: ChannelId, relays: Sequence[RelayKey] | None = None) -> Channel:
        """Puts an own channel into the public directories of relays that keep it, so that anybody can find it there, and takes it out of the others'.

        No channel is in one unless this is called. What the relays say to it is in `listings` of `channel.get`.

        channel: An own channel.
        relays: In whose directories it is to be: relays that keep it. Absent for all of them; empty for none.
        """
        result: Channel = self._call("channel.enlist", {"channel": channel, "relays": relays})
        return result

    def search(self, *, after: PageCursor | None = None, category: str | None = None, limit: int | None = None, query: str | None = None, relay: RelayKey | None = None) -> FoundChannels:
        """Looks for channels in the public directories of relays that are connected.

        A relay sees what is looked for. It can leave out channels, but can't make up or change any: each is signed by its root.

        after: `next` of a page: what comes behind it.
        category: A category's id; absent for all.
        limit: Items at most; counts as 1,000 if above. A page may have fewer.
        query: Words, all of which the name or the description has; absent for all channels.
        relay: In whose directory, of a relay that is connected; absent for all of these, one after the other.
        """
        result: FoundChannels = self._call("channel.search", {"after": after, "category": category, "limit": limit, "query": query, "relay": relay})
        return result

    def vouch(self, *, channel: ChannelId) -> Vouched:
        """What the domain that an own channel names is to publish, so that followers can see that it is the channel's.

        channel: The channel.
        """
        result: Vouched = self._call("channel.vouch", {"channel": channel})
        return result

    def prove(self, *, channel: ChannelId) -> Channel:
        """Asks the domain that a channel names whether it vouches for it. Its web server sees this machine's address.

        channel: The channel.
        """
        result: Channel = self._call("channel.prove", {"channel": channel})
        return result


class ArchiveMethods:
    """The methods `archive.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def add(self, *, account: Account, chat: ChatId, exported_ms: int, messages: Sequence[Archived], name: str | None = None) -> ArchiveImported:
        """Keeps messages of an exported chat, apart from those of chats: they are what a file says and nobody has proved.

        A few at a time, in as many calls as it takes. Importing the same again changes nothing.

        account: The account that exported it.
        chat: The chat that was exported, which need not be known here.
        exported_ms: When it was exported, in Unix milliseconds.
        messages: Some of its messages; those that are there already are passed over.
        name: What the chat was called.
        """
        result: ArchiveImported = self._call("archive.add", {"account": account, "chat": chat, "exported_ms": exported_ms, "messages": messages, "name": name})
        return result

    def list(self, *, after: PageCursor | None = None, limit: int | None = None) -> ArchivePage:
        """What was imported.

        after: `next` of the page before; absent for the first.
        limit: Items at most; counts as 1,000 if above.
        """
        result: ArchivePage = self._call("archive.list", {"after": after, "limit": limit})
        return result

    def messages(self, *, archive: ArchiveId, after: PageCursor | None = None, at_ms: int | None = None, limit: int | None = None, query: str | None = None) -> ArchiveItemPage:
        """Imported messages, the oldest first.

        With `query` a page may be short, or empty, although there is a `next`: it ends when much was read.

        archive: Of which archive.
        after: `next` of the page before; absent for the first.
        at_ms: A time in Unix milliseconds: only what was sent then or later.
        limit: Items at most; counts as 1,000 if above.
        query: Only those that have these words, as `message.search` finds them.
        """
        result: ArchiveItemPage = self._call("archive.messages", {"archive": archive, "after": after, "at_ms": at_ms, "limit": limit, "query": query})
        return result

    def remove(self, *, archive: ArchiveId) -> Done:
        """Removes imported messages.

        archive: The archive.
        """
        result: Done = self._call("archive.remove", {"archive": archive})
        return result


class RelayMethods:
    """The methods `relay.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def evidence(self, *, relay: RelayKey | None = None) -> EvidencePage:
        """What was kept as proof of what relays did.

        relay: About this relay only.
        """
        result: EvidencePage = self._call("relay.evidence", {"relay": relay})
        return result


class AppMethods:
    """The methods `app.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def list(self, *, after: PageCursor | None = None, limit: int | None = None) -> AppPage:
        """Apps, and who wants to become one.

        after: `next` of the page before; absent for the first.
        limit: Items at most; counts as 1,000 if above.
        """
        result: AppPage = self._call("app.list", {"after": after, "limit": limit})
        return result

    def handle(self, *, app: ShareAppId, events: Sequence[HandledEvent]) -> App:
        """Asks the user to let this token's app handle the cards that an app's key signed: scope `share:KEY:handle`, once it is approved.

        An app without a token asks for the scope as for any other, by `app.request`. What waits for longer than ten minutes is forgotten.

        app: The app whose cards they are: its key.
        events: What it wants to be told of them; one at least.
        """
        result: App = self._call("app.handle", {"app": app, "events": events})
        return result

    def approve(self, *, app: AppKey, expires_in_s: int | None = None, scopes: Sequence[Scope] | None = None) -> App:
        """Lets an app in: its token works from now on. Or allows what one asks for that is in already.

        app: Which.
        expires_in_s: How long, in seconds; for good if absent. Of one that is in already its token's end stays.
        scopes: What it is allowed of what it asks for; all of that if absent.
        """
        result: App = self._call("app.approve", {"app": app, "expires_in_s": expires_in_s, "scopes": scopes})
        return result

    def self(self) -> App:
        """The app of this token."""
        result: App = self._call("app.self", {})
        return result

    def mint(self, *, name: str, scopes: Sequence[Scope], expires_in_s: int | None = None) -> AppToken:
        """Makes a token within the caller's own, which ends no later and ends with it.

        name: What the new token is called; no control characters.
        scopes: What it allows; each within what the caller's allows.
        expires_in_s: How long, in seconds; as long as the caller's if absent.
        """
        result: AppToken = self._call("app.mint", {"name": name, "scopes": scopes, "expires_in_s": expires_in_s})
        return result

    def revoke(self, *, app: AppKey) -> Done:
        """Ends an app's token and those that it made, and closes their connections; also turns away who asks.

        Any token may end itself and those that it made.

        app: Which.
        """
        result: Done = self._call("app.revoke", {"app": app})
        return result


class ShareMethods:
    """The methods `share.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def validate(self, *, share: dict[str, Any], app: dict[str, Any] | None = None, signature: str | None = None) -> ShareChecked:
        """Checks a card as whoever receives it does, and says who stands for it. Errors name the member at fault.

        share: The card, by the schema of shares.
        app: The app that signs it: its `manifest` and the `signature` under that.
        signature: The app's signature under the card, in base64url.
        """
        result: ShareChecked = self._call("share.validate", {"share": share, "app": app, "signature": signature})
        return result

    def preview(self, *, share: dict[str, Any], app: dict[str, Any] | None = None, lang: ShareLanguage | None = None, signature: str | None = None) -> SharePreview:
        """Shows a card as whoever receives it sees it, before it is sent: as text, and as HTML for a page of the caller's own.

        share: The card, by the schema of shares.
        app: The app that signs it: its `manifest` and the `signature` under that.
        lang: The language of what isn't the card's; English if absent.
        signature: The app's signature under the card, in base64url.
        """
        result: SharePreview = self._call("share.preview", {"share": share, "app": app, "lang": lang, "signature": signature})
        return result

    def scrape(self, *, url: str) -> Scraped:
        """Makes a card of a page, of what it says of itself (Open Graph, oEmbed): this node fetches it, so that no receiver does.

        Nothing is sent: the card is for `share.pick` or `share.send`. Only from public addresses.

        url: The page, `https`.
        """
        result: Scraped = self._call("share.scrape", {"url": url})
        return result

    def send(self, *, chats: Sequence[ChatId], idempotency_key: str, app: dict[str, Any] | None = None, message: MessageId | None = None, share: dict[str, Any] | None = None, signature: str | None = None) -> SharesSent:
        """Sends a card to chats. The scope is the user's grant; without it `share.pick` asks the user.

        Answers when all are durable here. If it fails at one chat, the same call goes on where it was.

        chats: Where to.
        idempotency_key: The same key with the same card gives the same messages, for seven days; with another card an error.
        app: The app that signs it: its `manifest` and the `signature` under that.
        message: A message whose card is sent on, as it is signed there, with its pictures that are here. Needs `chat:read` of its chat too.
        share: The card, by the schema of shares; or else `message`.
        signature: The app's signature under the card, in base64url.
        """
        result: SharesSent = self._call("share.send", {"chats": chats, "idempotency_key": idempotency_key, "app": app, "message": message, "share": share, "signature": signature})
        return result

    def pick(self, *, share: dict[str, Any], app: dict[str, Any] | None = None, signature: str | None = None, timeout_ms: int | None = None) -> Picked:
        """Offers a card to the user, who chooses chats in the picker, and waits for the choice.

        Nothing is sent before. `url` is where the user chooses; what waits for longer than ten minutes is forgotten.

        share: The card, by the schema of shares.
        app: The app that signs it: its `manifest` and the `signature` under that.
        signature: The app's signature under the card, in base64url.
        timeout_ms: How long to wait for the user, in milliseconds; counts as 60,000 if above.
        """
        result: Picked = self._call("share.pick", {"share": share, "app": app, "signature": signature, "timeout_ms": timeout_ms})
        return result

    def picked(self, *, pick: PickId, timeout_ms: int | None = None) -> Picked:
        """Waits for the user's choice about a card that this token's app has offered.

        pick: Which.
        timeout_ms: How long to wait for the user, in milliseconds; counts as 60,000 if above.
        """
        result: Picked = self._call("share.picked", {"pick": pick, "timeout_ms": timeout_ms})
        return result

    def picks(self) -> PickPage:
        """Cards that wait for the user."""
        result: PickPage = self._call("share.picks", {})
        return result

    def shown(self, *, pick: PickId, lang: ShareLanguage | None = None) -> PickShown:
        """One of them.

        pick: Which.
        lang: The language of what isn't the card's; English if absent.
        """
        result: PickShown = self._call("share.shown", {"pick": pick, "lang": lang})
        return result

    def offer(self, *, link: str, origin: str | None = None) -> Pick:
        """Takes the card with which a page has sent the user's browser to the picker. It waits for the user as others do.

        link: The card's link, `madang:share?…`.
        origin: The page that offers it, as the browser names it.
        """
        result: Pick = self._call("share.offer", {"link": link, "origin": origin})
        return result

    def confirm(self, *, chats: Sequence[ChatId], pick: PickId) -> Picked:
        """Sends what waits: the user has seen it and chosen where to.

        chats: Where to.
        pick: Which.
        """
        result: Picked = self._call("share.confirm", {"chats": chats, "pick": pick})
        return result

    def decline(self, *, pick: PickId) -> Done:
        """Drops what waits; whoever asked is told `cancelled`.

        pick: Which.
        """
        result: Done = self._call("share.decline", {"pick": pick})
        return result

    def open(self, *, message: MessageId, button: str | None = None, device: ShareDevice | None = None, os: ShareOs | None = None, schemes: Sequence[str] | None = None, tell: bool | None = None) -> ShareOpened:
        """Says what a tap on a card does on this device, and hands the card to the app at this node that handles it, if the tap leads there.

        The sharer learns nothing of it unless `tell` says so. What the action names is for the program to do. Where it leads to the app or a page, the domains that the app names are asked before whether they vouch for it, at most once a day; an app here is handed the card without that.

        message: The message with the card.
        button: What of it is tapped, by its path, like `buttons[0]` or `contents[1]`; without it the card itself.
        device: The kind of device, if that isn't a computer.
        os: The system where it is tapped, if that isn't the node's.
        schemes: Schemes that something on the device opens.
        tell: Whether who shared it may learn that it was opened, where its app asks for that; false if absent.
        """
        result: ShareOpened = self._call("share.open", {"message": message, "button": button, "device": device, "os": os, "schemes": schemes, "tell": tell})
        return result

    def prove(self, *, message: MessageId) -> ShareProved:
        """Asks the domains that a card's app names whether they vouch for it. They learn this node's address.

        message: The message with the card.
        """
        result: ShareProved = self._call("share.prove", {"message": message})
        return result

    def reply(self, *, message: MessageId, button: str | None = None, data: str | None = None) -> ShareReplied:
        """Answers a card, for the app that shared it: with what a button hands back once the user has seen it, or with `data` of an app that handles it.

        With `share:reply`, or `share:KEY:reply` for the card's key, it is sent. An app that handles the card without that has it wait for the user, for a week; event `share.reply_waiting`.

        message: The message with the card.
        button: The button that hands its `data` back, by its path.
        data: What is handed back, where no button says it.
        """
        result: ShareReplied = self._call("share.reply", {"message": message, "button": button, "data": data})
        return result

    def replies(self) -> WaitingReplyPage:
        """Answers of apps that wait for the user."""
        result: WaitingReplyPage = self._call("share.replies", {})
        return result

    def confirm_reply(self, *, reply: PickId) -> Done:
        """Sends an answer that waits: the user has seen it.

        reply: Which.
        """
        result: Done = self._call("share.confirm_reply", {"reply": reply})
        return result

    def decline_reply(self, *, reply: PickId) -> Done:
        """Drops an answer that waits; its app isn't told.

        reply: Which.
        """
        result: Done = self._call("share.decline_reply", {"reply": reply})
        return result

    def browser(self) -> BrowserCode:
        """Makes an address that lets the browser in that opens it first, so that the user chooses there."""
        result: BrowserCode = self._call("share.browser", {})
        return result


class EventMethods:
    """The methods `event.…`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def poll(self, *, after: str | None = None, epoch: EventEpoch | None = None, filter: Filter | None = None, limit: int | None = None, timeout_ms: int | None = None) -> EventPage:
        """Reads events of the durable log, and waits for the first.

        A page may be shorter than `limit` although there is more.

        after: The event behind which to begin: `0` is the log's start, `ack` what this token's app has acknowledged last, absent is now.
        epoch: The epoch that came with the cursor in `after`: says whether it is of this log.
        filter: Which events; all if absent.
        limit: Items at most; counts as 1,000 if above.
        timeout_ms: How long to wait for the first, in milliseconds; counts as 60,000 if above.
        """
        result: EventPage = self._call("event.poll", {"after": after, "epoch": epoch, "filter": filter, "limit": limit, "timeout_ms": timeout_ms})
        return result

    def ack(self, *, cursor: EventCursor, epoch: EventEpoch | None = None) -> Done:
        """Says which event this token's app has dealt with last; never goes back.

        cursor: The last event that was dealt with.
        epoch: The epoch that came with it.
        """
        result: Done = self._call("event.ack", {"cursor": cursor, "epoch": epoch})
        return result

    def webhook_set(self, *, filter: Filter, url: str, after: EventCursor | None = None, app: AppKey | None = None, epoch: EventEpoch | None = None, secret: str | None = None) -> WebhookMade:
        """Has events posted to a URL, signed as Standard Webhooks has it.

        One webhook a token: another takes its place and goes on where that was. It ends with the token.

        filter: Which events; all that the token may read if absent.
        url: Where events are posted: `https://…`, or `http://` to this machine; an app's into no private network.
        after: The last event that isn't posted. If absent, a webhook that is replaced goes on where it was, and a new one begins now.
        app: Whose webhook; that of this token's app if absent. Another's needs `app:manage`.
        epoch: The epoch that came with `after`.
        secret: What posts are signed with; made if absent.
        """
        result: WebhookMade = self._call("event.webhook_set", {"filter": filter, "url": url, "after": after, "app": app, "epoch": epoch, "secret": secret})
        return result

    def webhooks(self) -> WebhookPage:
        """The webhook of this token's app; of all, to who manages apps."""
        result: WebhookPage = self._call("event.webhooks", {})
        return result

    def webhook_remove(self, *, app: AppKey | None = None) -> Done:
        """Ends a webhook.

        app: Whose webhook; that of this token's app if absent. Another's needs `app:manage`.
        """
        result: Done = self._call("event.webhook_remove", {"app": app})
        return result


class Methods:
    """The node's methods, by namespace."""

    def __init__(self, call: Call) -> None:
        self.rpc = RpcMethods(call)
        self.node = NodeMethods(call)
        self.account = AccountMethods(call)
        self.contact = ContactMethods(call)
        self.chat = ChatMethods(call)
        self.message = MessageMethods(call)
        self.blob = BlobMethods(call)
        self.channel = ChannelMethods(call)
        self.archive = ArchiveMethods(call)
        self.relay = RelayMethods(call)
        self.app = AppMethods(call)
        self.share = ShareMethods(call)
        self.event = EventMethods(call)
