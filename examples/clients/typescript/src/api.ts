// Made from the node's description, docs/openrpc.json: don't edit. docs/testing.md says how it is made anew.

/** An account's address. */
export type Account = string;

/** Result of `account.get`. */
export interface AccountInfo {
  /** The account, `madang1…`. */
  account: Account;
  /** This device. */
  device: DeviceKey;
  /** The name others are shown. */
  name?: string;
  /** Whether the user has confirmed the phrase, and with it the root key is gone from this device. */
  phrase_confirmed: boolean;
}

/** Several files or images. */
export interface AlbumBody {
  /** In their order. */
  files: Attachment[];
  kind: "album";
  /** What is written with them. */
  text: string;
}

/** Photos and other files; those whose media type says so as images. */
export interface AlbumNewPostBody {
  /** In their order. */
  files: SendFile[];
  kind: "album";
  /** What is written with them. */
  text?: string;
}

/** Photos and other files. */
export interface AlbumPostBody {
  /** In their order. */
  files: Attachment[];
  kind: "album";
  /** What is written with them. */
  text?: string;
}

/** Several files; those whose media type says so as images. */
export interface AlbumSendBody {
  /** In their order. */
  files: SendFile[];
  kind: "album";
  /** What is written with them. */
  text?: string;
}

/** An app, or who wants to become one. */
export interface App {
  /** The last event that it has acknowledged. */
  acknowledged: EventCursor;
  /** Names it. */
  app: AppKey;
  /** When it asked or was made, in Unix milliseconds. */
  created_ms: number;
  /** When its token ends, in Unix milliseconds. */
  expires_ms?: number;
  /** A small picture, in base64. */
  icon?: string;
  /** What it calls itself. */
  name: string;
  /** The page that it is. */
  origin?: string;
  /** By whose token it was made. */
  parent?: AppKey;
  /** What it may do, or wants to. */
  scopes: Scope[];
  /** Whether the user has approved it. */
  state: AppState;
  /** What it asks for besides, and waits for. */
  wants?: Scope[];
}

/** Names an app that has a token, or asks for one. */
export type AppKey = string;

/** One page of a list. */
export interface AppPage {
  /** The items in the list's order. */
  items: App[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** An app asks to be let in. */
export interface AppRequestedEvent {
  cursor: EventCursor;
  data: AppRequestedEventData;
  epoch: EventEpoch;
  kind: "app.requested";
}

export interface AppRequestedEventData {
  /** Names it for `app.approve`. */
  app: AppKey;
  /** What it calls itself. */
  name: string;
  /** What it wants to be allowed. */
  scopes: Scope[];
}

/** An app whose key signed it. */
export interface AppShareBy {
  /** The key. */
  app: ShareAppId;
  /** The domains that it says it belongs to, each the app's claim until it is proved. */
  domains: ShareDomain[];
  kind: "app";
  /** What it calls itself. */
  name: string;
  /** This node knows a newer manifest of the app: what this one says may not be so any more. */
  outdated?: boolean;
}

/** Whether an app's token works. */
export type AppState = "requested" | "active" | "expired";

/** A token. One that was asked for works once the user has approved. */
export interface AppToken {
  /** Names it, here and for `app.approve`. */
  app: AppKey;
  /** The bearer token. */
  token: Secret;
}

/** Imported messages of a chat. */
export interface Archive {
  /** The account that exported it, as the file says. */
  account: Account;
  /** Its id: the same for each export of that chat by that account. */
  archive: ArchiveId;
  /** The chat that was exported. */
  chat: ChatId;
  /** When it was exported last, as the file says, in Unix milliseconds. */
  exported_ms: number;
  /** When it was imported last, in Unix milliseconds. */
  imported_ms: number;
  /** What the chat was called, as the file says. */
  name?: string;
}

/** Names imported messages of a chat. */
export type ArchiveId = string;

/** Result of `archive.add`. */
export interface ArchiveImported {
  /** How many are new. */
  added: number;
  /** The archive that the messages are in. */
  archive: ArchiveId;
}

/** A message of an archive, on a page. */
export interface ArchiveItem {
  /** The author's account. */
  account: Account;
  /** What it says. */
  body: Body;
  /** When its author changed it last, in Unix milliseconds. */
  edited_ms?: number;
  /** Where `query` was found: places in the text, or in the question of a poll and its options, each on a line. */
  highlights?: Highlight[];
  /** Its id. */
  message: MessageId;
  /** The author's name. */
  name?: string;
  /** Whether whoever exported it wrote it. */
  outgoing?: boolean;
  /** Emoji that were left at it. */
  reactions?: Reaction[];
  /** When it was written, in Unix milliseconds. */
  sent_ms: number;
}

/** One page of a list. */
export interface ArchiveItemPage {
  /** The items in the list's order. */
  items: ArchiveItem[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** One page of a list. */
export interface ArchivePage {
  /** The items in the list's order. */
  items: Archive[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** A message of an exported chat: what the file says. */
export interface Archived {
  /** The author's account. */
  account: Account;
  /** What it says. */
  body: Body;
  /** When its author changed it last, in Unix milliseconds. */
  edited_ms?: number;
  /** Its id. */
  message: MessageId;
  /** The author's name. */
  name?: string;
  /** Whether whoever exported it wrote it. */
  outgoing?: boolean;
  /** Emoji that were left at it. */
  reactions?: Reaction[];
  /** When it was written, in Unix milliseconds. */
  sent_ms: number;
}

/** A circle on the earth. */
export interface Area {
  /** Millionths of a degree north. */
  latitude_e6: number;
  /** Millionths of a degree east. */
  longitude_e6: number;
  /** Metres. */
  radius_m: number;
}

/** A file of a message. */
export interface Attachment {
  /** Its content, for `blob.get` and `/blob/ID`. */
  blob: BlobId;
  /** What the sender writes under it. */
  caption?: string;
  /** Of a voice note: how long it is. */
  duration_ms?: number;
  /** Of an image: how high it is shown, in pixels. */
  height?: number;
  /** Bytes of its content. */
  length_bytes: number;
  /** Its media type, as the sender says. */
  media_type: string;
  /** What to store it as: one element of a path that every platform takes, made from the sender's name. */
  name: string;
  /** Of an image: a ThumbHash, a blurred preview. */
  preview?: string;
  /** What to show: the sender's name, its direction isolated. */
  shown_name: string;
  /** The sender's name may pass for another one: it has hidden or direction-changing characters, or mixes scripts that look alike. */
  suspicious?: boolean;
  /** Of an image: a small JPEG. */
  thumbnail?: string;
  /** Of a voice note: loudness of equal stretches, a byte each. */
  waveform?: string;
  /** Of an image: how wide it is shown, in pixels. */
  width?: number;
}

/** A channel's word on how far its writers are. */
export interface Beacon {
  /** Grows with each. */
  number: number;
  /** Another should have come long ago: its relays may keep back what is new. */
  stale: boolean;
  /** By the channel's clock, in Unix milliseconds. */
  time_ms: number;
}

/** How a file is here. */
export interface Blob {
  /** Its content; absent while it is being sealed. */
  blob?: BlobId;
  /** Relays that have it whole. */
  held?: Held[];
  /** Bytes of it that are here: of an upload the first, of a fetch any. */
  here_bytes: number;
  /** Bytes of its content. */
  length_bytes: number;
  /** How it is. */
  state: BlobState;
  /** The number of its upload, if it is this account's. */
  upload?: BlobId;
}

/** Names the content of a file, or an upload of one. */
export type BlobId = string;

/** A part of a file. */
export interface BlobPart {
  /** The part; empty at the end. */
  data: string;
  /** Bytes of the whole file. */
  length_bytes: number;
  /** Where it begins. */
  offset_bytes: number;
}

/** A file got further: once in 2 s at most, and in the end. */
export interface BlobProgressEvent {
  cursor: EventCursor;
  data: BlobProgressEventData;
  epoch: EventEpoch;
  kind: "blob.progress";
}

export interface BlobProgressEventData {
  /** Its content. */
  blob: BlobId;
  /** Bytes that are there: at a relay, or here. */
  done_bytes: number;
  /** Bytes of the whole. */
  length_bytes: number;
  /** How it is. */
  state: BlobState;
}

/** How a file is. */
export type BlobState = "sealing" | "sealed" | "sending" | "sent" | "fetching" | "fetched" | "lost";

/** Files of a message. */
export interface Blobs {
  /** In the message's order. */
  items: Blob[];
}

/** What a message says. */
export type Body =
  | TextBody
  | PollBody
  | FileBody
  | ImageBody
  | VoiceBody
  | AlbumBody
  | ShareBody
  | ChannelBody
  | DeletedBody
  | UnknownBody;

/** Result of `share.browser`. */
export interface BrowserCode {
  /** When it ends, in Unix milliseconds. */
  expires_ms: number;
  /** A page of this node, which lets the browser in that opens it first. */
  url: string;
}

/** Something that takes place. */
export interface CalendarEvent {
  /** More of it. */
  details?: string;
  /** When it ends, in Unix seconds. */
  ends_s: number;
  /** Where. */
  place?: string;
  /** When it begins, in Unix seconds. */
  starts_s: number;
  /** What. */
  title: string;
  /** An address. */
  url?: string;
}

/** A card. */
export interface Card {
  /** What can be opened from it. */
  buttons?: WebLink[];
  /** Its picture. */
  image?: Attachment;
  /** What it says. */
  text?: string;
  /** Its title. */
  title: string;
}

/** A card. */
export interface CardNewPostBody {
  /** The card. */
  card: NewCard;
  kind: "card";
  /** What is written with it. */
  text?: string;
}

/** A card. */
export interface CardPostBody {
  /** The card. */
  card: Card;
  kind: "card";
  /** What is written with it. */
  text?: string;
}

/** Cards side by side. */
export interface CarouselNewPostBody {
  /** 2 to 10. */
  cards: NewCard[];
  kind: "carousel";
  /** What is written with them. */
  text?: string;
}

/** Cards side by side. */
export interface CarouselPostBody {
  /** 2 to 10. */
  cards: Card[];
  kind: "carousel";
  /** What is written with them. */
  text?: string;
}

/** A category of a channel. */
export interface Category {
  /** Lower-case letters, digits and hyphens. */
  id: string;
  /** For people. */
  name: string;
}

/** Result of `channel.certify`. */
export interface Certified {
  /** The certificate, for the key's holder. */
  certificate: string;
}

/** A channel. */
export interface Channel {
  /** Its newest word on how far its writers are; absent until one is here. */
  beacon?: Beacon;
  /** The user wants nothing of it. */
  blocked: boolean;
  /** When it last posted more often on a day than it promised, in Unix milliseconds; what was beyond is held back. */
  broke_promise_ms?: number;
  /** Its id, which is its root's public key. */
  channel: ChannelId;
  /** When the domain that it names was last seen to vouch for it, in Unix milliseconds; see `channel.prove`. */
  domain_proved_ms?: number;
  /** Pieces of evidence against its writers; see `channel.evidence`. */
  evidence: number;
  /** This account follows it. */
  followed: boolean;
  /** Posts that its writers signed and that aren't here; they are looked for at its relays. */
  gaps?: ChannelGap[];
  /** Posts that are held back, the oldest first. */
  held?: HeldBack[];
  /** When it last said something, in Unix milliseconds. */
  last_ms: number;
  /** The link by which others follow it. */
  link: string;
  /** In whose public directories an own channel is to be found; see `channel.enlist`. */
  listings?: Listed[];
  /** What it says of itself; absent until that is here. */
  manifest?: Manifest;
  /** The user isn't told of new posts. */
  muted: boolean;
  /** What it calls itself, or before that is here, its link. */
  name: string;
  /** It is this account's own. */
  own: boolean;
  /** Where it is kept. */
  relays?: RelayAddress[];
  /** What this account may do on it; its own channels' root may do all. */
  scopes?: WriterScope[];
  /** What of it is wanted, and when; absent for everything, at once. */
  terms?: ChannelTerms;
  /** Posts that the user hasn't seen, counted up to 1,000. */
  unread: number;
  /** By whom its posts come. */
  via: Via;
}

/** A channel to follow, by its link. */
export interface ChannelBody {
  /** Its key, which is who it is. */
  channel: ChannelId;
  kind: "channel";
  /** For `channel.follow`. */
  link: string;
  /** What whoever sent it calls it; may be empty. */
  name: string;
}

/** Two things that a channel's writer signed and that contradict each other; or, from `channel.verify`, one that it signed. */
export interface ChannelEvidence {
  /** The channel. */
  channel: ChannelId;
  /** Both, for `channel.verify` on any node. */
  data: string;
  /** The number of the entry or beacon. */
  number: number;
  /** What they prove: `two_entries`, `two_histories`, `two_beacons`, `head_went_back`, `manifest_went_back` or `another_head`; `signed` of one entry alone. */
  proof: string;
  /** Whose entries it is about; absent if it is about the channel's beacons alone. */
  writer?: WriterKey;
}

/** A writer of a channel signed what contradicts itself; see `channel.evidence`. */
export interface ChannelEvidenceEvent {
  cursor: EventCursor;
  data: ChannelEvidenceEventData;
  epoch: EventEpoch;
  kind: "channel.evidence";
}

export interface ChannelEvidenceEventData {
  /** The channel. */
  channel: ChannelId;
  /** What it proves. */
  proof: string;
  /** Whose entries it is about. */
  writer?: WriterKey;
}

/** One page of a list. */
export interface ChannelEvidencePage {
  /** The items in the list's order. */
  items: ChannelEvidence[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** Figures of a channel on which this account writes; all are rounded down to tens, and 0 is fewer than 20. */
export interface ChannelFigures {
  /** Peers to which the relay that says the most has handed the post. */
  deliveries?: number;
  /** Polls that were posted by this device, the one that is over last first. */
  polls: PollFigures[];
  /** What each relay of the channel says; none where this account may not be told, without the scope `stats`. */
  relays: RelayFigures[];
  /** Peers that watch the channel at the relay that says the most. Not the sum: who follows watches at several. Absent if no relay tells. */
  watchers?: number;
}

/** Posts of a writer that aren't here. */
export interface ChannelGap {
  /** The first number. */
  first: number;
  /** The last one. */
  last: number;
  /** Whose. */
  writer: WriterKey;
}

/** Something of a channel is missing, or no longer; see `gaps` in `channel.get`. */
export interface ChannelGapEvent {
  cursor: EventCursor;
  data: ChannelGapEventData;
  epoch: EventEpoch;
  kind: "channel.gap";
}

export interface ChannelGapEventData {
  /** The channel. */
  channel: ChannelId;
  /** Whether something is missing. */
  open: boolean;
}

/** Names a channel: its root's public key. */
export type ChannelId = string;

/** A channel's link: `madang:channel?d=…`. A web address that carries one behind a `#` is read too. */
export type ChannelLink = string;

/** One page of a list. */
export interface ChannelPage {
  /** The items in the list's order. */
  items: Channel[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** A channel has a new post. Of a muted one too: see `muted` in `channel.get`. */
export interface ChannelPostEvent {
  cursor: EventCursor;
  data: Post;
  epoch: EventEpoch;
  kind: "channel.post";
}

/** A post was edited or taken back. */
export interface ChannelPostUpdatedEvent {
  cursor: EventCursor;
  data: Post;
  epoch: EventEpoch;
  kind: "channel.post_updated";
}

/** A relay has answered a report of a post, or is given up; see `channel.report`. */
export interface ChannelReportedEvent {
  cursor: EventCursor;
  data: ChannelReportedEventData;
  epoch: EventEpoch;
  kind: "channel.reported";
}

export interface ChannelReportedEventData {
  /** Whose post. */
  channel: ChannelId;
  /** Which. */
  post: PostId;
  /** Why the relay refused, if it did. */
  reason?: string;
  /** Where. */
  relay: RelayKey;
  /** What became of it there. */
  state: ReportState;
}

/** A channel to follow. */
export interface ChannelSendBody {
  kind: "channel";
  /** Its link, as `channel.get` gives it. */
  link: ChannelLink;
}

/** What a follower wants of a channel, and when. It is weighed on this device; nobody learns of it. */
export interface ChannelTerms {
  /** Whether advertising is wanted. */
  advertising?: boolean;
  /** Ids of the categories that are wanted; all if absent. A post of no category is of all. */
  categories?: string[];
  /** Posts that are shown on a day at most; 0 for a digest that is only opened by hand. */
  daily_cap?: number;
  /** Places that matter: a post for an area elsewhere isn't wanted. All are if there are none. */
  places?: Area[];
  /** When nothing is shown. */
  quiet?: Hours[];
  /** Whether what the channel calls urgent is shown at any hour. */
  urgent?: boolean;
  /** When something may be shown; always if there are none. */
  window?: Hours[];
  /** The time zone by its IANA name, as `Asia/Seoul`; that of this machine if absent. */
  zone?: string;
}

/** What a channel says of itself, or how this account has it, came or changed; see `channel.get`. */
export interface ChannelUpdatedEvent {
  cursor: EventCursor;
  data: ChannelUpdatedEventData;
  epoch: EventEpoch;
  kind: "channel.updated";
}

export interface ChannelUpdatedEventData {
  /** The channel. */
  channel: ChannelId;
}

/** Whom a channel's root lets write. */
export interface ChannelWriter {
  /** In which of the channel's categories; all if absent. */
  categories?: string[];
  /** From when, in Unix milliseconds. */
  from_ms: number;
  /** The number of the last thing it signed that the root has confirmed; 0 for nothing. */
  number: number;
  /** What for. */
  scopes: WriterScope[];
  /** Until when, in Unix milliseconds. */
  until_ms: number;
  /** The key. */
  writer: WriterKey;
}

/** One page of a list. */
export interface ChannelWriterPage {
  /** The items in the list's order. */
  items: ChannelWriter[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** A chat. */
export interface Chat {
  /** As whom you are in it, if not as your account. */
  alias?: ChatAlias;
  /** The chat. */
  chat: ChatId;
  /** What kind of chat it is. */
  kind: ChatKind;
  /** When its last message was sent or received, in Unix milliseconds. */
  last_ms?: number;
  /** Who is in it. */
  members: Member[];
  /** Its name. */
  name?: string;
  /** How far its making has come. */
  state: ChatState;
  /** Seconds after which its messages disappear; 0 for never. */
  timer_s: number;
  /** Received messages that aren't marked read. */
  unread: number;
}

/** An alias: another account of yours, in one chat. */
export interface ChatAlias {
  /** Its account. */
  account: Account;
  /** What it calls itself. */
  name?: string;
}

/** Result of `chat.get`: the chat, and how its state is. */
export interface ChatDetails {
  /** As whom you are in it, if not as your account. */
  alias?: ChatAlias;
  /** Branches of commits that aren't settled: 1 where there is no fork. */
  branches: number;
  /** Changes by this device that aren't settled. */
  changes_under_way: number;
  /** The chat. */
  chat: ChatId;
  /** Commits that led to the state that counts. */
  epoch: number;
  /** Ranges of others' messages that are missing and looked for. */
  gaps: number;
  /** What kind of chat it is. */
  kind: ChatKind;
  /** When its last message was sent or received, in Unix milliseconds. */
  last_ms?: number;
  /** Ranges of others' messages that their authors gave up. */
  lost: number;
  /** Who is in it. */
  members: Member[];
  /** Its name. */
  name?: string;
  /** Whether this device has lost the chat's state and has asked to be put back. */
  rejoining: boolean;
  /** How far its making has come. */
  state: ChatState;
  /** Seconds after which its messages disappear; 0 for never. */
  timer_s: number;
  /** Received messages that aren't marked read. */
  unread: number;
  /** Commits that aren't settled. */
  unsettled: number;
  /** Envelopes that wait for a commit which isn't here yet. */
  waiting_envelopes: number;
}

/** Something about a gap in another device's messages changed; see `chat.gaps`. */
export interface ChatGapEvent {
  cursor: EventCursor;
  data: ChatGapEventData;
  epoch: EventEpoch;
  kind: "chat.gap";
}

export interface ChatGapEventData {
  /** Whose messages. */
  account: Account;
  /** The chat. */
  chat: ChatId;
  /** The device that wrote them. */
  device: DeviceKey;
  /** The first. */
  first: number;
  /** The last. */
  last: number;
  /** How it is now. */
  state: GapState;
}

/** How a chat's other side can be reached. */
export interface ChatHealth {
  /** The chat. */
  chat: ChatId;
  /** Ranges of others' messages that are missing; see `chat.gaps`. */
  gaps: number;
  /** Its name. */
  name?: string;
  /** The way there. */
  path: Path;
  /** Why they wait. */
  reason?: string;
  /** Own messages that no other device has yet. */
  waiting: number;
}

/** Names a chat. */
export type ChatId = string;

/** The kinds of chat. */
export type ChatKind = "one_to_one" | "group";

/** One page of a list. */
export interface ChatPage {
  /** The items in the list's order. */
  items: Chat[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** Result of `contact.accept`, `contact.approve` and `chat.create`. */
export interface ChatRef {
  /** The chat with the contact, or the group. */
  chat: ChatId;
}

/** How far a chat's making has come. */
export type ChatState = "requested" | "active" | "left";

/** A member types (told at most once in 4 s of each device), or has stopped. It stands in the log like all others: 10 s after `at_ms` it means nothing. */
export interface ChatTypingEvent {
  cursor: EventCursor;
  data: ChatTypingEventData;
  epoch: EventEpoch;
  kind: "chat.typing";
}

export interface ChatTypingEventData {
  /** Who. */
  account: Account;
  /** False if they have stopped. */
  active: boolean;
  /** When it was heard. */
  at_ms: number;
  /** The chat. */
  chat: ChatId;
  /** On which device. */
  device: DeviceKey;
}

/** A group's members, roles or settings changed; see `chat.get`. */
export interface ChatUpdatedEvent {
  cursor: EventCursor;
  data: ChatUpdatedEventData;
  epoch: EventEpoch;
  kind: "chat.updated";
}

export interface ChatUpdatedEventData {
  /** The chat. */
  chat: ChatId;
}

/** One check of the doctor. */
export interface Check {
  /** What was found. */
  detail: string;
  /** What the user can do. */
  hint?: string;
  /** A short name. */
  name: string;
  /** Whether it passed. */
  ok: boolean;
}

/** A contact. */
export interface Contact {
  /** The account. */
  account: Account;
  /** The chat with them. */
  chat: ChatId;
  /** Their devices. */
  devices: DeviceKey[];
  /** Their name. */
  name?: string;
  /** Since when, in Unix milliseconds. */
  since_ms: number;
}

/** Someone became a contact. */
export interface ContactAddedEvent {
  cursor: EventCursor;
  data: ContactAddedEventData;
  epoch: EventEpoch;
  kind: "contact.added";
}

export interface ContactAddedEventData {
  /** The account. */
  account: Account;
  /** The chat with them. */
  chat: ChatId;
  /** Their name. */
  name?: string;
}

/** One page of a list. */
export interface ContactPage {
  /** The items in the list's order. */
  items: Contact[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** A request that waits for the user: for contact, or to be let into a group. */
export interface ContactRequest {
  /** Who asks. */
  account: Account;
  /** The group that they ask to be let into; absent where they ask for contact. */
  chat?: ChatId;
  /** Its name. */
  chat_name?: string;
  /** The name they give themselves. */
  name?: string;
  /** When it came, in Unix milliseconds. */
  received_ms: number;
  /** Names it for `contact.approve` and `contact.decline`. */
  request: RequestId;
}

/** One page of a list. */
export interface ContactRequestPage {
  /** The items in the list's order. */
  items: ContactRequest[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** Someone asks to be a contact. */
export interface ContactRequestedEvent {
  cursor: EventCursor;
  data: ContactRequestedEventData;
  epoch: EventEpoch;
  kind: "contact.requested";
}

export interface ContactRequestedEventData {
  /** Who asks. */
  account: Account;
  /** The name they give themselves. */
  name?: string;
  /** Names it for `contact.approve`. */
  request: RequestId;
}

/** A text is copied. */
export interface CopyShareAction {
  kind: "copy";
  /** Which. */
  text: string;
}

/** An offer. */
export interface Coupon {
  /** What is shown. */
  card: Card;
  /** Until when, in Unix seconds. */
  ends_s: number;
  /** How many each follower gets; 0 for no limit. */
  per_follower?: number;
  /** From when, in Unix seconds. */
  starts_s: number;
  /** Its terms. */
  terms?: string;
  /** How many there are; 0 for no limit. */
  total?: number;
}

/** An offer; it can't be claimed yet. */
export interface CouponNewPostBody {
  /** What. */
  coupon: NewCoupon;
  kind: "coupon";
  /** What is written with it. */
  text?: string;
}

/** An offer; it can't be claimed yet. */
export interface CouponPostBody {
  /** What. */
  coupon: Coupon;
  kind: "coupon";
  /** What is written with it. */
  text?: string;
}

/** A day of the week. */
export type Day = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

/** Its author took it back. */
export interface DeletedBody {
  kind: "deleted";
}

/** To how many peers a relay has handed a post. */
export interface Deliveries {
  /** When they were counted, in Unix milliseconds. A relay tells the same for an hour. */
  counted_ms: number;
  /** Each counts once. */
  peers: number;
  /** Since when they are counted, in Unix milliseconds: what was before the relay's start isn't known. */
  since_ms: number;
}

/** A device's public key. */
export type DeviceKey = string;

/** Result of `node.doctor`. */
export interface Doctor {
  /** How each chat's other side can be reached now. */
  chats: ChatHealth[];
  /** What was checked. */
  checks: Check[];
  /** Whether all checks passed. */
  ok: boolean;
}

/** A domain that couldn't be asked. */
export interface DomainUnavailable {
  /** Its name. */
  domain: string;
  /** Why. */
  reason: string;
}

/** The empty object of a method that has nothing to say. */
export type Done = Record<string, unknown>;

/** `error.data` of every error that the node answers. */
export interface ErrorData {
  /** The stable name, to act on. */
  code: string;
  /** The path of the parameter at fault. */
  field?: string;
  /** The bound that was hit. */
  limit?: number;
  /** When to try again, in milliseconds. */
  retry_after_ms?: number;
  /** Whether the same call may succeed later. */
  retryable: boolean;
  /** The scope that the token lacks. */
  scope?: string;
}

/** An entry of the event log. */
export type Event =
  | MessageReceivedEvent
  | MessageSentEvent
  | MessageLedgerEvent
  | MessageUpdatedEvent
  | MessageExpiredEvent
  | BlobProgressEvent
  | ChatUpdatedEvent
  | RelayDemotedEvent
  | ChatGapEvent
  | ChatTypingEvent
  | ContactRequestedEvent
  | ContactAddedEvent
  | ChannelUpdatedEvent
  | ChannelPostEvent
  | ChannelPostUpdatedEvent
  | ChannelEvidenceEvent
  | ChannelReportedEvent
  | ChannelGapEvent
  | WebhookDisabledEvent
  | SharePayloadEvent
  | ShareReplyWaitingEvent
  | ShareSentEvent
  | ShareDeliveredEvent
  | ShareOpenedEvent
  | SharePostbackEvent
  | AppRequestedEvent
  | GapEvent
  | LaggedEvent;

/** A place in the event log: a decimal number in a string, because JSON's numbers lose digits above 2⁵³. */
export type EventCursor = string;

/** Names a stretch of the event log: from one start of the node on this data to the next. Copies of a data directory share the epochs up to the copy, and none after. */
export type EventEpoch = string;

/** Something that takes place. */
export interface EventNewPostBody {
  /** What. */
  event: CalendarEvent;
  kind: "event";
  /** What is written with it. */
  text?: string;
}

/** Result of `event.poll`. */
export interface EventPage {
  /** The epoch of `next`. */
  epoch: EventEpoch;
  /** Events in the log's order. */
  items: Event[];
  /** The `after` of the next poll: the last item's cursor, or the cursor that was asked about if there are none. */
  next: EventCursor;
}

/** Something that takes place. */
export interface EventPostBody {
  /** What. */
  event: CalendarEvent;
  kind: "event";
  /** What is written with it. */
  text?: string;
}

/** What was kept as proof of what a relay did. */
export interface Evidence {
  /** What the relay answered or did, in words. */
  answer: string;
  /** The envelope that it is about, in hex. */
  envelope?: string;
  /** When it was found, in Unix milliseconds. */
  found_ms: number;
  /** The beginning of the frame that it sent instead, in hex; empty if it sent none. */
  frame: string;
  /** What it shows: a reason as in `node.info`. */
  reason: string;
  /** Custody frames that the relay signed, in hex: its receipts. */
  receipts: string[];
  /** The relay. */
  relay: RelayKey;
  /** The topic that it is about, in hex. */
  topic?: string;
  /** Until when the relay had signed to keep it, in Unix milliseconds. */
  until_ms?: number;
}

/** One page of a list. */
export interface EvidencePage {
  /** The items in the list's order. */
  items: Evidence[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** Whether a relay tells figures. */
export type FiguresState = "told" | "away" | "silent" | "refused";

/** A file. */
export interface FileBody {
  /** Which. */
  file: Attachment;
  kind: "file";
  /** What is written with it. */
  text: string;
}

/** A file. */
export interface FileSendBody {
  /** Which. */
  file: SendFile;
  kind: "file";
  /** What is written with it. */
  text?: string;
}

/** Which events are read; all if nothing is named. */
export interface Filter {
  /** Of these chats, and what is of none. */
  chats?: ChatId[];
  /** Kinds, as `message.received`. */
  kinds?: string[];
}

/** A channel is followed, once the user has seen it. */
export interface FollowShareAction {
  /** Its link. */
  channel: string;
  kind: "follow";
}

/** A channel in a relay's directory, as its root signed it. */
export interface FoundChannel {
  /** Ids of what its posts can be of. */
  categories: string[];
  /** Which. */
  channel: ChannelId;
  /** For people; the beginning of a long one. */
  description: string;
  /** This account follows it, or it is its own. */
  followed: boolean;
  /** By which it is followed. */
  link: ChannelLink;
  /** What it calls itself. Anybody can call a channel so; what counts is the key. */
  name: string;
  /** In whose directory it is. */
  relay: RelayKey;
}

/** Result of `channel.search`. */
export interface FoundChannels {
  /** By name; what several relays name comes once from each. */
  items: FoundChannel[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
}

/** A range of another device's messages that is missing. */
export interface Gap {
  /** Whose messages. */
  account: Account;
  /** How often relays, members or the author were asked for it. */
  asked: number;
  /** The device that wrote them. */
  device: DeviceKey;
  /** The first, counted from 1 in what that device wrote in this chat. */
  first: number;
  /** The last. */
  last: number;
  /** Their name, if they are a contact. */
  name?: string;
  /** Since when it is known, in Unix milliseconds. */
  since_ms: number;
  /** How it is. */
  state: GapState;
}

/** Events with `from <= cursor <= to` aren't in the log. A notice: it stands in no log itself. */
export interface GapEvent {
  cursor: EventCursor;
  data: GapEventData;
  epoch: EventEpoch;
  kind: "gap";
}

export interface GapEventData {
  /** The first that isn't there. */
  from: EventCursor;
  /** Why not. */
  reason: GapReason;
  /** The last that isn't there. */
  to: EventCursor;
}

/** Why events aren't in the log. */
export type GapReason = "pruned" | "other_log";

/** How a gap is. */
export type GapState = "open" | "filled" | "lost" | "void" | "forked";

/** Result of `chat.gaps`. */
export interface Gaps {
  /** What is missing, by device and sequence. */
  items: Gap[];
}

/** An invite link of a group. */
export interface GroupInvite {
  /** Whether each guest waits in `contact.requests`. */
  approval: boolean;
  /** Until when it works, in Unix milliseconds. */
  expires_ms: number;
  /** The link. */
  invite: Link;
  /** How many it lets in at most. */
  max_uses: number;
  /** How many it has let in. */
  uses: number;
}

/** Result of `chat.invites`. */
export interface GroupInvites {
  /** This account's open links of the group. */
  items: GroupInvite[];
}

/** An event that an app which handles cards is told. */
export type HandledEvent = "share.payload";

/** An app at this node was handed the card: event `share.payload`. */
export interface HandlerShareAction {
  kind: "handler";
  /** What it is opened with. */
  params: Record<string, unknown>;
}

/** A relay's promise to hold a message. */
export interface Held {
  /** The relay. */
  relay: RelayKey;
  /** How long, in Unix milliseconds. */
  until_ms: number;
}

/** A post that waits in the digest. */
export interface HeldBack {
  /** Which. */
  post: PostId;
  /** Since when, in Unix milliseconds. */
  since_ms: number;
  /** When it is shown at the earliest, in Unix milliseconds; absent if only when the digest is opened. */
  until_ms?: number;
  /** Why. */
  why: HeldWhy;
}

/** Why a post isn't shown. */
export type HeldWhy = "category" | "area" | "advertising" | "quiet" | "window" | "daily_cap" | "promise";

/** A place in a text. */
export interface Highlight {
  /** How long it is there. */
  length_bytes: number;
  /** Where it begins in the text's UTF-8. */
  start_bytes: number;
}

/** Hours of the day. Those that end no later than they begin end on the day after. */
export interface Hours {
  /** On which days they begin; on all if absent. */
  days?: Day[];
  /** When they begin, as `22:00`. */
  from: string;
  /** Before when they end, as `07:00`. */
  to: string;
}

/** An image. */
export interface ImageBody {
  /** Which. */
  file: Attachment;
  kind: "image";
  /** What is written with it. */
  text: string;
}

/** An image: JPEG, PNG, WebP or GIF. */
export interface ImageSendBody {
  /** Which. */
  file: SendFile;
  kind: "image";
  /** What is written with it. */
  text?: string;
}

/** The app isn't here: this is where it can be had. */
export interface InstallShareAction {
  kind: "install";
  /** Where. */
  url: string;
}

/** Result of `contact.invite` and `chat.invite`. */
export interface Invite {
  /** When it stops working, in Unix milliseconds. */
  expires_ms: number;
  /** The link. */
  invite: Link;
}

/** This subscription was at the log's end and has fallen behind since, as its reader reads slowly. A notice: nothing is lost. */
export interface LaggedEvent {
  cursor: EventCursor;
  data: LaggedEventData;
  epoch: EventEpoch;
  kind: "lagged";
}

export interface LaggedEventData {
  /** Events that still wait. */
  behind: number;
  /** The newest of them. */
  newest: EventCursor;
}

/** Who has an outgoing message. */
export interface Ledger {
  /** Devices that acknowledged it. */
  delivered: DeviceKey[];
  /** Relays that signed for it. */
  held: Held[];
  /** Devices that showed it. */
  read: DeviceKey[];
  /** Why a queued message waits. */
  reason?: string;
  /** The furthest it got; never goes back. */
  state: LedgerState;
}

/** The furthest that a message got. */
export type LedgerState = "queued" | "held" | "delivered" | "read";

/** An invite link: `madang:invite?d=…`. A web address that carries one behind a `#` is read too. */
export type Link = string;

/** An own channel in a relay's directory. */
export interface Listed {
  /** Why the relay refused, if it did: `not_here` if it has no directory, `not_found` as long as it doesn't keep the channel, `full`, … */
  reason?: string;
  /** Whose. */
  relay: RelayKey;
  /** How it stands. */
  state: ListedState;
  /** Until when it is there, in Unix milliseconds; it is renewed in time. */
  until_ms?: number;
}

/** How an own channel stands in a relay's directory. */
export type ListedState = "listed" | "waiting" | "leaving";

/** What a channel says of itself, signed by its root. */
export interface Manifest {
  /** What its advertising is labelled with. */
  advertising_label?: string;
  /** What its posts can be of. */
  categories: Category[];
  /** For people. */
  description: string;
  /** The domain that it says it belongs to: a claim. */
  domain?: string;
  /** An invite link by which followers write back. */
  inbox?: string;
  /** Addresses. */
  links: WebLink[];
  /** Grows with each change. */
  number: number;
  /** Posts a day that it promises at most; absent for no promise. */
  posts_per_day?: number;
}

/** A member of a chat. */
export interface Member {
  /** The account. */
  account: Account;
  /** Their devices in the chat. */
  devices: DeviceKey[];
  /** Their name. */
  name?: string;
  /** Its role, in a group. */
  role?: Role;
}

/** Result of `chat.members`. */
export interface Members {
  /** Who is in the chat, by account. */
  items: Member[];
}

/** Somebody named in a text. */
export interface Mention {
  /** Who. */
  account: Account;
  /** How long it is there. */
  length_bytes: number;
  /** Where the name begins in the text's UTF-8. */
  start_bytes: number;
}

/** A message. */
export interface Message {
  /** The author's account. */
  account: Account;
  /** What it says, after edits. */
  body: Body;
  /** The chat it is in. */
  chat: ChatId;
  /** The author's device. */
  device: DeviceKey;
  /** When its author changed it last, by its author's clock, in Unix milliseconds. */
  edited_ms?: number;
  /** Seconds after which it disappears: from sending for an outgoing one, else from reading. */
  expires_after_s?: number;
  /** Who has it; only of outgoing ones. */
  ledger?: Ledger;
  /** Its id. */
  message: MessageId;
  /** The author's name, as the contact's or else as it calls itself in the group; absent of own messages. */
  name?: string;
  /** Whether this account wrote it. */
  outgoing: boolean;
  /** Who keeps it in sight; absent if nobody does. */
  pinned?: Pinned;
  /** Emoji that were left at it, the first one first. */
  reactions?: Reaction[];
  /** When this device stored it, in Unix milliseconds. */
  received_ms: number;
  /** When it was written, by its author's clock, in Unix milliseconds. */
  sent_ms: number;
}

/** A message disappeared in its time. */
export interface MessageExpiredEvent {
  cursor: EventCursor;
  data: MessageExpiredEventData;
  epoch: EventEpoch;
  kind: "message.expired";
}

export interface MessageExpiredEventData {
  /** The chat. */
  chat: ChatId;
  /** The message. */
  message: MessageId;
}

/** Names a message for good, on all devices. */
export type MessageId = string;

/** An own message got further. */
export interface MessageLedgerEvent {
  cursor: EventCursor;
  data: MessageLedgerEventData;
  epoch: EventEpoch;
  kind: "message.ledger";
}

export interface MessageLedgerEventData {
  /** The chat. */
  chat: ChatId;
  /** Who has it now. */
  ledger: Ledger;
  /** The message. */
  message: MessageId;
}

/** One page of a list. */
export interface MessagePage {
  /** The items in the list's order. */
  items: Message[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** A message of another was stored. */
export interface MessageReceivedEvent {
  cursor: EventCursor;
  data: Message;
  epoch: EventEpoch;
  kind: "message.received";
}

/** An own message was stored. */
export interface MessageSentEvent {
  cursor: EventCursor;
  data: Message;
  epoch: EventEpoch;
  kind: "message.sent";
}

/** A message was edited or deleted, or got a reaction or a vote. */
export interface MessageUpdatedEvent {
  cursor: EventCursor;
  data: Message;
  epoch: EventEpoch;
  kind: "message.updated";
}

/** As whom to ask. */
export interface NewAlias {
  /** What it calls itself towards the other; no name unless given, and never yours. */
  name?: string;
}

/** A card that is to be posted. */
export interface NewCard {
  /** What can be opened from it. */
  buttons?: WebLink[];
  /** Its picture: JPEG, PNG, WebP or GIF, written whole by `blob.put`. */
  image?: SendFile;
  /** What it says. */
  text?: string;
  /** Its title. */
  title: string;
}

/** An offer that is to be posted. */
export interface NewCoupon {
  /** What is shown. */
  card: NewCard;
  /** Until when, in Unix seconds. */
  ends_s: number;
  /** How many each follower gets; 0 for no limit. */
  per_follower?: number;
  /** From when, in Unix seconds. */
  starts_s: number;
  /** Its terms. */
  terms?: string;
  /** How many there are; 0 for no limit. */
  total?: number;
}

/** What can be posted. */
export type NewPostBody =
  | TextNewPostBody
  | AlbumNewPostBody
  | CardNewPostBody
  | CarouselNewPostBody
  | EventNewPostBody
  | PollNewPostBody
  | CouponNewPostBody;

/** Why a button does nothing. */
export type NoShareAction = "unsigned" | "expired";

/** Nobody. */
export interface NobodyShareBy {
  kind: "nobody";
}

/** Result of `node.info`. */
export interface NodeInfo {
  /** The account, `madang1…`. */
  account: Account;
  /** This device. */
  device: DeviceKey;
  /** Multiaddrs on which the node listens. */
  listen: string[];
  /** The network's name of this node. */
  peer: string;
  /** The relays it uses. */
  relays: RelayInfo[];
  /** Milliseconds since the start. */
  uptime_ms: number;
  /** The program's version. */
  version: string;
}

/** Nothing. */
export interface NoneShareAction {
  kind: "none";
  /** Why. */
  reason: NoShareAction;
}

/** An OpenRPC document: https://spec.open-rpc.org. */
export interface OpenRpc {
  components: Record<string, unknown>;
  info: Record<string, unknown>;
  methods: Record<string, unknown>[];
  openrpc: string;
}

/** A place in a list, as a page of it gave it. */
export type PageCursor = string;

/** A page, as the sender claims. */
export interface PageShareBy {
  kind: "page";
  /** Which. */
  origin: string;
}

/** The way to a chat's other side. */
export type Path = "direct" | "relay" | "none";

/** Result of `account.phrase`: the account's root. */
export interface Phrase {
  /** The words in order. */
  words: string[];
}

/** A card that waits for the user. */
export interface Pick {
  /** The app that asks; none is a page that sent the user here. */
  app?: AppKey;
  /** The card. */
  card: ShareCard;
  /** Names it. */
  pick: PickId;
  /** When it is forgotten, in Unix milliseconds. */
  until_ms: number;
}

/** Names a card, or an answer to one, that waits for the user. */
export type PickId = string;

/** One page of a list. */
export interface PickPage {
  /** The items in the list's order. */
  items: Pick[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** Result of `share.shown`. */
export interface PickShown {
  /** The app that asks; none is a page that sent the user here. */
  app?: AppKey;
  /** The card. */
  card: ShareCard;
  /** The card as whoever receives it sees it: HTML as of `share.preview`. */
  html: string;
  /** Names it. */
  pick: PickId;
  /** When it is forgotten, in Unix milliseconds. */
  until_ms: number;
}

/** How a pick is. */
export type PickState = "waiting" | "sent" | "cancelled";

/** Result of `share.pick` and `share.picked`. */
export interface Picked {
  /** Names it. */
  pick: PickId;
  /** How it is. */
  state: PickState;
  /** The chats that it was sent to. */
  to?: Pseudonym[];
  /** Where the user chooses: a page of this node, for the user's browser. */
  url: string;
}

/** A picture that a card goes without. */
export interface PictureLeftOut {
  /** Its path in the card, like `share.content.image`. */
  image: string;
  /** Why. */
  reason: string;
}

/** A message is kept in sight. */
export interface Pinned {
  /** By this account. */
  account: Account;
  /** Since when, by its clock, in Unix milliseconds. */
  at_ms: number;
}

/** A post that is to be published later. */
export interface Plan {
  /** When, in Unix milliseconds. */
  at_ms: number;
  /** What. */
  body: PostBody;
  /** By which it is dropped. */
  post: PostId;
}

/** One page of a list. */
export interface PlanPage {
  /** The items in the list's order. */
  items: Plan[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** A question with options to choose from. */
export interface PollBody {
  kind: "poll";
  /** Whether one may choose several. */
  multiple: boolean;
  /** What can be chosen, and who did. */
  options: PollOption[];
  /** The question. */
  question: string;
}

/** How a poll stands. */
export interface PollFigures {
  /** More answers came than are counted: too many for one poll, or too many at once. */
  capped: boolean;
  /** It can be answered. */
  open: boolean;
  /** Who chose each option. */
  options: number[];
  /** The post. */
  post: PostId;
  /** Until when it can be answered, in Unix milliseconds, or when it was ended. */
  until_ms: number;
  /** Who answered. */
  voters: number;
}

/** A question. */
export interface PollNewPostBody {
  kind: "poll";
  /** Whether one may choose several. */
  multiple?: boolean;
  /** What can be chosen, 2 to 12. */
  options: string[];
  /** The question. */
  question: string;
  /** What is written with it. */
  text?: string;
}

/** An option of a poll. */
export interface PollOption {
  /** The accounts that chose it. */
  accounts: Account[];
  /** What it says. */
  text: string;
}

/** A question. */
export interface PollPostBody {
  kind: "poll";
  /** Whether one may choose several. */
  multiple?: boolean;
  /** What can be chosen. */
  options: string[];
  /** The question. */
  question: string;
  /** What it has come to, once the channel says so. */
  result?: PollResult;
  /** What is written with it. */
  text?: string;
  /** Until when it can be answered, in Unix milliseconds; absent if it can't be. */
  until_ms?: number;
  /** What this device has answered: places of options from 0. */
  vote?: number[];
}

/** What a poll has come to, as its channel says: rounded down to tens; 0 is fewer than 20. */
export interface PollResult {
  /** When it was counted, in Unix milliseconds. */
  counted_ms: number;
  /** Who chose each option. */
  options: number[];
  /** Who answered. */
  voters: number;
}

/** A question with options to choose from. */
export interface PollSendBody {
  kind: "poll";
  /** Whether one may choose several. */
  multiple?: boolean;
  /** What can be chosen. */
  options: string[];
  /** The question. */
  question: string;
}

/** A post. */
export interface Post {
  /** It is advertising, by the channel's word. */
  advertising: boolean;
  /** Where it matters. */
  area?: Area;
  /** What it says, after edits. */
  body: PostBody;
  /** Ids of the channel's categories. */
  categories?: string[];
  /** Where. */
  channel: ChannelId;
  /** When it was edited last, in Unix milliseconds. */
  edited_ms?: number;
  /** Relays that signed for it; only of own channels. */
  held?: Held[];
  /** Its number among what the writer signed. */
  number: number;
  /** Its id. */
  post: PostId;
  /** The channel's root hasn't confirmed it yet. */
  provisional: boolean;
  /** Why no relay has signed for it yet, if one refused it; it waits and is handed to them again. Only of own channels. */
  reason?: string;
  /** When this device stored it, in Unix milliseconds. */
  received_ms: number;
  /** It was taken back. */
  retracted?: Retracted;
  /** By the writer's clock, in Unix milliseconds. */
  time_ms: number;
  /** Why the terms don't want it, if they don't. */
  unwanted?: HeldWhy;
  /** It is urgent, by the channel's word. */
  urgent: boolean;
  /** Whose key signed it: the channel's own id, or an editor's. */
  writer: WriterKey;
}

/** What a post says. */
export type PostBody =
  | TextPostBody
  | AlbumPostBody
  | CardPostBody
  | CarouselPostBody
  | EventPostBody
  | PollPostBody
  | CouponPostBody
  | RetractedPostBody
  | UnknownPostBody;

/** Names a post of a channel, or what was done to one. */
export type PostId = string;

/** Posts of a channel. */
export interface PostPage {
  /** In ascending order of time. */
  items: Post[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes, from a relay where it isn't here. Absent at the start. */
  prev?: PageCursor;
}

/** One page of a list. */
export interface PostPage2 {
  /** The items in the list's order. */
  items: Post[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** Something is handed to the app by `share.reply`, once the user has seen it. */
export interface PostbackShareAction {
  /** What. */
  data: string;
  kind: "postback";
}

/** Result of `channel.post`, `channel.edit` and `channel.retract`. */
export interface Posted {
  /** It is published later. */
  planned: boolean;
  /** The id of the post, edit or retraction; of a planned post that of the plan, by which `channel.unplan` drops it. */
  post: PostId;
}

/** A chat as an app knows it that wasn't told which it is: the same for this app each time, another for each app. */
export interface Pseudonym {
  /** What kind of chat it is. */
  kind: PseudonymKind;
  /** Names it. */
  pseudonym: string;
}

/** A kind of chat. */
export type PseudonymKind = "direct" | "group";

/** An emoji at a message. */
export interface Reaction {
  /** The accounts that left it. */
  accounts: Account[];
  /** Which. */
  emoji: string;
}

/** What takes a channel back: `madang:recovery?d=…`. */
export type RecoveryKey = string;

/** Result of `channel.recovery_key`. */
export interface RecoveryMade {
  /** Whoever has it has the channel: keep it apart, as a recovery phrase. */
  key: string;
}

/** Where a relay is. */
export interface RelayAddress {
  /** Its multiaddrs. */
  addresses: string[];
  /** The relay. */
  relay: RelayKey;
}

/** A relay broke its word and is demoted; see `relay.evidence`. */
export interface RelayDemotedEvent {
  cursor: EventCursor;
  data: RelayDemotedEventData;
  epoch: EventEpoch;
  kind: "relay.demoted";
}

export interface RelayDemotedEventData {
  /** What it did. */
  reason: string;
  /** The relay. */
  relay: RelayKey;
}

/** What one relay says of a channel. It counts peers, by their transport keys: each device once, also this one. */
export interface RelayFigures {
  /** When watchers were counted, in Unix milliseconds. A relay tells the same for an hour. */
  counted_ms?: number;
  /** Peers to which it has handed the post. Absent if it doesn't count that, or no longer. */
  deliveries?: Deliveries;
  /** Why it refused, if it did: `not_allowed` if this account may not be told, `not_found` as long as nothing of the channel is kept there, `busy`, … */
  reason?: string;
  /** Which. */
  relay: RelayKey;
  /** Whether it tells figures. */
  state: FiguresState;
  /** Peers that watched the channel at `counted_ms`. */
  watchers?: number;
}

/** A relay that the node uses. */
export interface RelayInfo {
  /** Its multiaddr. */
  address: string;
  /** Whether there is a connection now. */
  connected: boolean;
  /** The gravest of what it did: `forgot` (its storage went back), `denied` (it lacks what it signed for), `junk`, `endless` or `unserved`. */
  reason?: string;
  /** The relay. */
  relay: RelayKey;
  /** Since when it is demoted, in Unix milliseconds. */
  since_ms?: number;
  /** Whether its word counts. */
  state: RelayState;
}

/** A relay's public key. */
export type RelayKey = string;

/** Whether a relay's word counts. */
export type RelayState = "trusted" | "demoted";

/** An answer is begun in the chat; the user sends it, or doesn't. */
export interface ReplyShareAction {
  kind: "reply";
  /** What it begins with. */
  text: string;
}

/** What became of an answer. */
export type ReplyState = "sent" | "waiting";

/** Why a post is reported. */
export type ReportReason = "spam" | "fraud" | "hate" | "violence" | "sexual" | "children" | "impersonation" | "rights" | "other";

/** Result of `channel.report`. */
export interface ReportSent {
  /** Relays to which the report is on its way; event `channel.reported` tells of each what became of it. */
  relays: RelayKey[];
}

/** What became of a report at a relay. */
export type ReportState = "taken" | "refused" | "given_up";

/** Names a contact request that waits for the user. */
export type RequestId = string;

/** A post was taken back. */
export interface Retracted {
  /** Why, for people; may be empty. */
  reason: string;
  /** When, in Unix milliseconds. */
  time_ms: number;
}

/** It was taken back. */
export interface RetractedPostBody {
  kind: "retracted";
}

/** A member's part in a group. */
export type Role = "owner" | "admin" | "member";

/** The system opens an address of the app's own scheme. */
export interface SchemeShareAction {
  kind: "scheme";
  /** With its parameters. */
  url: string;
}

/** What a token may do: `*`, `NAMESPACE:ACTION`, `chat:ID:ACTION`, `channel:ID:ACTION`, `share:KEY:ACTION` or `method:NAME`. */
export type Scope = string;

/** Result of `share.scrape`. */
export interface Scraped {
  /** A card by the schema of shares, for `share.pick` or `share.send`. */
  share: Record<string, unknown>;
}

/** A message that a search finds. */
export interface SearchHit {
  /** The places in `snippet` that were looked for, ascending, apart. */
  highlights: Highlight[];
  /** The message as it is now. */
  message: Message;
  /** The part of its text around the first place; `…` stands for what is left out. */
  snippet: string;
}

/** What a search finds. */
export interface SearchPage {
  /** Whether all messages were looked at. Not while the index is being made, as at the first start of a version that has one, or behind a rush of messages. */
  complete: boolean;
  /** The newest first. There may be fewer than `limit`, or none, although there is a `next`: a page ends when much was read. */
  items: SearchHit[];
  /** The `after` of the next page; absent at the end. */
  next?: PageCursor;
}

/** Text that nobody else may read. */
export type Secret = string;

/** A body that can be sent. */
export type SendBody =
  | TextSendBody
  | PollSendBody
  | FileSendBody
  | ImageSendBody
  | VoiceSendBody
  | AlbumSendBody
  | ChannelSendBody;

/** A file that is to be sent. */
export interface SendFile {
  /** Its content, which was written whole. */
  blob: BlobId;
  /** What is written under it. */
  caption?: string;
  /** Of an image: send where and when it was taken as well, which is removed otherwise. */
  keep_metadata?: boolean;
  /** Its media type; told from the name if absent. */
  media_type?: string;
  /** What it is called: no path. */
  name: string;
  /** Of a voice note: loudness of equal stretches, a byte each; made from the content if that is WAV. */
  waveform?: string;
}

/** Result of `message.send`. */
export interface Sent {
  /** Where it is now. */
  ledger: Ledger;
  /** The message's permanent id. */
  message: MessageId;
}

/** What a tap on a card does. Only `handler` was done by the node; the rest is for the program to do, or to ask the user about. */
export type ShareAction =
  | HandlerShareAction
  | VerifiedLinkShareAction
  | SchemeShareAction
  | InstallShareAction
  | WebShareAction
  | ReplyShareAction
  | CopyShareAction
  | FollowShareAction
  | PostbackShareAction
  | ShareShareAction
  | NoneShareAction;

/** An app that offers shares: the public key that signs them. */
export type ShareAppId = string;

/** A card of an app or a page. */
export interface ShareBody {
  /** Which. */
  card: ShareCard;
  kind: "share";
}

/** Who stands for a card. Of an app the signatures were checked, of a page and of nobody there are none. */
export type ShareBy =
  | AppShareBy
  | PageShareBy
  | NobodyShareBy;

/** A card in a message. */
export interface ShareCard {
  /** Who stands for it. A signature was checked. */
  by: ShareBy;
  /** The card as a text. */
  fallback: string;
  /** Its pictures that came with it, by their places in it. */
  pictures?: SharePicture[];
  /** All that it says, by the schema of shares. */
  share: Record<string, unknown>;
  /** What kind of card it is. */
  template: string;
}

/** Result of `share.validate`. */
export interface ShareChecked {
  /** Who stands for it. */
  by: ShareBy;
  /** When it ends, in Unix milliseconds. */
  expires_ms?: number;
  /** Bytes of it as it travels. */
  length_bytes: number;
}

/** The first device of the chat has it. */
export interface ShareDeliveredEvent {
  cursor: EventCursor;
  data: ShareDeliveredEventData;
  epoch: EventEpoch;
  kind: "share.delivered";
}

export interface ShareDeliveredEventData {
  /** The app that sent it; absent for the owner's own programs. */
  app?: AppKey;
  /** The card's `key`, if it has one. */
  key?: string;
  /** The chat. */
  to: Pseudonym;
}

/** A kind of device. */
export type ShareDevice = "phone" | "tablet" | "desktop";

/** A domain that an app says it belongs to. */
export interface ShareDomain {
  /** Its name. */
  domain: string;
  /** When it was last seen to vouch for the app, in Unix milliseconds; see `share.prove`. Absent while it is but a claim. */
  proved_ms?: number;
}

/** A language in which cards are shown. */
export type ShareLanguage = "en" | "ko";

/** Result of `share.open`. */
export interface ShareOpened {
  /** What the tap does here. */
  action: ShareAction;
}

/** Somebody opened a card, and lets its app know. Told to the app that sent it. */
export interface ShareOpenedEvent {
  cursor: EventCursor;
  data: ShareOpenedEventData;
  epoch: EventEpoch;
  kind: "share.opened";
}

export interface ShareOpenedEventData {
  /** The app that sent it; absent for the owner's own programs. */
  app?: AppKey;
  /** The card's `key`, if it has one. */
  key?: string;
  /** The chat. */
  to: Pseudonym;
}

/** An operating system. */
export type ShareOs = "android" | "ios" | "linux" | "macos" | "windows";

/** The user has opened a card that leads into this app. A second time with the same `key` and `button` is the same again. */
export interface SharePayloadEvent {
  cursor: EventCursor;
  data: SharePayloadEventData;
  epoch: EventEpoch;
  kind: "share.payload";
}

export interface SharePayloadEventData {
  /** The app that signed the card. */
  app: ShareAppId;
  /** What of it was tapped, by its path; absent for the card itself. */
  button?: string;
  /** The card. */
  card: ShareCard;
  /** Names the card for `share.reply`. */
  message: MessageId;
  /** What the app is opened with. */
  params: Record<string, unknown>;
}

/** A picture of a card. */
export interface SharePicture {
  /** The file. */
  file: Attachment;
  /** Which of the card's pictures, from 0. */
  place: number;
}

/** Somebody, or their app, answers a card. Told to the app that sent it. */
export interface SharePostbackEvent {
  cursor: EventCursor;
  data: SharePostbackEventData;
  epoch: EventEpoch;
  kind: "share.postback";
}

export interface SharePostbackEventData {
  /** The app that sent it; absent for the owner's own programs. */
  app?: AppKey;
  /** By which button, by its path; absent where an app answers. */
  button?: string;
  /** What is handed back. */
  data: string;
  /** The card's `key`, if it has one. */
  key?: string;
  /** The chat. */
  to: Pseudonym;
}

/** Result of `share.preview`. */
export interface SharePreview {
  /** As HTML: one `article` without scripts, styles, frames and forms, which loads nothing. */
  html: string;
  /** As text; lines of the card's own are indented. */
  text: string;
}

/** Result of `share.prove`. */
export interface ShareProved {
  /** Who stands for the card, with what is known now. */
  by: ShareBy;
  /** Domains that couldn't be asked. */
  unavailable?: DomainUnavailable[];
}

/** Result of `share.reply`. */
export interface ShareReplied {
  /** Names one that waits. */
  reply?: PickId;
  /** What became of it. */
  state: ReplyState;
}

/** An app wants to answer a card, which is for the user to decide; see `share.replies`. */
export interface ShareReplyWaitingEvent {
  cursor: EventCursor;
  data: WaitingReply;
  epoch: EventEpoch;
  kind: "share.reply_waiting";
}

/** A card that was sent to a chat. */
export interface ShareSent {
  /** The chat. */
  chat: ChatId;
  /** Where it is now. */
  ledger: Ledger;
  /** The message. */
  message: MessageId;
  /** What the chat is called in this app's events. */
  to: Pseudonym;
}

/** A card is durable here, on its way to a chat. Told to the app that sent it, as what follows. */
export interface ShareSentEvent {
  cursor: EventCursor;
  data: ShareSentEventData;
  epoch: EventEpoch;
  kind: "share.sent";
}

export interface ShareSentEventData {
  /** The app that sent it; absent for the owner's own programs. */
  app?: AppKey;
  /** The card's `key`, if it has one. */
  key?: string;
  /** The chat. */
  to: Pseudonym;
}

/** The user chooses other chats for the card. */
export interface ShareShareAction {
  kind: "share";
}

/** Result of `share.send`. */
export interface SharesSent {
  /** One for each chat, in their order. */
  items: ShareSent[];
  /** Pictures that couldn't be fetched: the card goes without them. */
  left_out?: PictureLeftOut[];
}

/** Text. */
export interface TextBody {
  kind: "text";
  /** Who is named in it, ascending. */
  mentions?: Mention[];
  /** The message that it answers; it may be gone, or not be here yet. */
  reply_to?: MessageId;
  /** What it says. */
  text: string;
}

/** Text. */
export interface TextNewPostBody {
  kind: "text";
  /** What it says. */
  text: string;
}

/** Text. */
export interface TextPostBody {
  kind: "text";
  /** What it says. */
  text: string;
}

/** Text. */
export interface TextSendBody {
  kind: "text";
  /** Who is named in it: whole characters of the text, ascending, without overlaps. */
  mentions?: Mention[];
  /** The message that it answers. */
  reply_to?: MessageId;
  /** What it says. */
  text: string;
}

/** A kind that this version doesn't know. */
export interface UnknownBody {
  /** The kind's number on the wire. */
  code: number;
  /** What its author wants shown instead. */
  fallback: string;
  kind: "unknown";
}

/** A kind that this version doesn't know. */
export interface UnknownPostBody {
  /** The kind's number. */
  code: number;
  kind: "unknown";
  /** What is to be shown instead. */
  text: string;
}

/** The system opens an address on a domain of the app's in the app. */
export interface VerifiedLinkShareAction {
  kind: "verified_link";
  /** With its parameters. */
  url: string;
}

/** By whom the posts of a channel come. */
export type Via = "relays" | "followers";

/** A voice note. */
export interface VoiceBody {
  /** Which. */
  file: Attachment;
  kind: "voice";
  /** What is written with it. */
  text: string;
}

/** A voice note: WAV, or Opus in Ogg. */
export interface VoiceSendBody {
  /** Which. */
  file: SendFile;
  kind: "voice";
  /** What is written with it. */
  text?: string;
}

/** Result of `channel.vouch`. */
export interface Vouched {
  /** What to publish; what is there for other channels stays in it. */
  file: string;
  /** Where to publish it. */
  url: string;
}

/** An answer of an app to a card, which waits for the user. */
export interface WaitingReply {
  /** The app that wants to answer. */
  app: AppKey;
  /** The button that hands `data` back, by its path; absent for what the app says itself. */
  button?: string;
  /** What is handed back to the app that shared the card. */
  data: string;
  /** The message with the card. */
  message: MessageId;
  /** What it calls itself, if it is still there. */
  name?: string;
  /** Names it. */
  reply: PickId;
  /** When it is forgotten, in Unix milliseconds. */
  until_ms: number;
}

/** One page of a list. */
export interface WaitingReplyPage {
  /** The items in the list's order. */
  items: WaitingReply[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** An address with a name. */
export interface WebLink {
  /** Whether it may be opened: `https`, `http`, `mailto`, `tel` and `madang` addresses. Any other is only text. */
  actionable?: boolean;
  /** What it is called. */
  label: string;
  /** Where it leads. */
  url: string;
}

/** A page, or a place, a telephone or a mail address. */
export interface WebShareAction {
  kind: "web";
  /** Which. */
  url: string;
}

/** A webhook. */
export interface Webhook {
  /** Whose it is; absent for the owner's own. */
  app?: AppKey;
  /** Posts since the last that was accepted. */
  attempts: number;
  /** The last event that was accepted there, or passed over. */
  cursor: EventCursor;
  /** Which events. */
  filter: Filter;
  /** Why the last post wasn't accepted. */
  last_error?: string;
  /** The HTTP status of the last answer. */
  last_status?: number;
  /** When it was tried last, in Unix milliseconds. */
  last_try_ms?: number;
  /** When it is tried again, in Unix milliseconds. */
  next_try_ms?: number;
  /** How it is. */
  state: WebhookState;
  /** Where events are posted. */
  url: string;
}

/** A webhook failed for too long, or its receiver wants no more; see `event.webhooks`. */
export interface WebhookDisabledEvent {
  cursor: EventCursor;
  data: WebhookDisabledEventData;
  epoch: EventEpoch;
  kind: "webhook.disabled";
}

export interface WebhookDisabledEventData {
  /** Whose it is; absent for the owner's own. */
  app?: AppKey;
  /** What its receiver answered last, as an HTTP status. */
  last_status?: number;
}

/** Result of `event.webhook_set`. */
export interface WebhookMade {
  /** What its posts are signed with; shown only now. */
  secret: Secret;
  /** The webhook. */
  webhook: Webhook;
}

/** One page of a list. */
export interface WebhookPage {
  /** The items in the list's order. */
  items: Webhook[];
  /** As `after` it gives the page that follows. Absent at the end. */
  next?: PageCursor;
  /** As `before` it gives the page that precedes. Absent at the start and in lists that only go forward. */
  prev?: PageCursor;
}

/** How a webhook is. */
export type WebhookState = "active" | "failing" | "disabled" | "ended";

/** A certificate to write on a channel with: `madang:writer?d=…`. */
export type WriterCertificate = string;

/** The public key of whoever writes on a channel. */
export type WriterKey = string;

/** Result of `channel.writer_key`. */
export interface WriterKeyMade {
  /** The key, for the channel's root to certify. */
  writer: WriterKey;
}

/** What a key may do on a channel. */
export type WriterScope = "publish" | "edit" | "coupons" | "stats" | "root" | "recovery";

/** How far an upload is. */
export interface Written {
  /** The content, once it is sealed whole. */
  blob?: BlobId;
  /** The number of the upload. */
  upload: BlobId;
  /** Where it goes on: bytes that are sealed and on disk. */
  written_bytes: number;
}

/** Parameters of `contact.invite`. */
export interface ContactInviteParams {
  /** How long it works, in seconds; seven days unless given, 90 at most. */
  expires_in_s?: number;
  /** Whether more than one account may use it. */
  multi_use?: boolean;
}

/** Parameters of `contact.accept`. */
export interface ContactAcceptParams {
  /** The link. */
  invite: Link;
  /** Asks under an alias: as another account, made for this chat alone, whose other side learns nothing of yours. An alias of the same name with the same inviter is one alias, and its chat the result. Not for invites of groups, nor of those who name no relay. */
  alias?: NewAlias;
}

/** Parameters of `contact.requests`. */
export interface ContactRequestsParams {
  /** `next` of the page before; absent for the first. */
  after?: PageCursor;
  /** Items at most; counts as 1,000 if above. */
  limit?: number;
}

/** Parameters of `contact.approve`. */
export interface ContactApproveParams {
  /** The request. */
  request: RequestId;
}

/** Parameters of `contact.decline`. */
export interface ContactDeclineParams {
  /** The request. */
  request: RequestId;
}

/** Parameters of `contact.list`. */
export interface ContactListParams {
  /** `next` of the page before; absent for the first. */
  after?: PageCursor;
  /** Items at most; counts as 1,000 if above. */
  limit?: number;
}

/** Parameters of `chat.list`. */
export interface ChatListParams {
  /** `next` of the page before; absent for the first. */
  after?: PageCursor;
  /** Items at most; counts as 1,000 if above. */
  limit?: number;
}

/** Parameters of `chat.get`. */
export interface ChatGetParams {
  /** The chat. */
  chat: ChatId;
}

/** Parameters of `chat.members`. */
export interface ChatMembersParams {
  /** The chat. */
  chat: ChatId;
}

/** Parameters of `chat.gaps`. */
export interface ChatGapsParams {
  /** The chat. */
  chat: ChatId;
}

/** Parameters of `chat.pins`. */
export interface ChatPinsParams {
  /** The chat. */
  chat: ChatId;
}

/** Parameters of `chat.create`. */
export interface ChatCreateParams {
  /** Accounts of contacts. */
  members: Account[];
  /** The same key with the same name and members gives the same chat, for seven days; with others an error. */
  idempotency_key?: string;
  /** Its name. */
  name?: string;
}

/** Parameters of `chat.add`. */
export interface ChatAddParams {
  /** The chat. */
  chat: ChatId;
  /** Accounts. */
  members: Account[];
}

/** Parameters of `chat.remove`. */
export interface ChatRemoveParams {
  /** The chat. */
  chat: ChatId;
  /** Accounts. */
  members: Account[];
}

/** Parameters of `chat.leave`. */
export interface ChatLeaveParams {
  /** The chat. */
  chat: ChatId;
}

/** Parameters of `chat.invite`. */
export interface ChatInviteParams {
  /** The group. */
  chat: ChatId;
  /** Whether each guest waits in `contact.requests` for the user; else this node lets it in while it runs. */
  approval?: boolean;
  /** How long it works, in seconds; seven days unless given, 90 at most. */
  expires_in_s?: number;
  /** How many it lets in; 1,000 unless given. */
  max_uses?: number;
}

/** Parameters of `chat.invites`. */
export interface ChatInvitesParams {
  /** The chat. */
  chat: ChatId;
}

/** Parameters of `chat.uninvite`. */
export interface ChatUninviteParams {
  /** The link. */
  invite: Link;
}

/** Parameters of `chat.update`. */
export interface ChatUpdateParams {
  /** The chat. */
  chat: ChatId;
  /** Its name. */
  name?: string;
  /** A small picture, in base64; empty for none. */
  picture?: string;
  /** Seconds after which messages disappear; 0 for never. */
  timer_s?: number;
}

/** Parameters of `chat.typing`. */
export interface ChatTypingParams {
  /** The chat. */
  chat: ChatId;
  /** False once the user has stopped. */
  active?: boolean;
}

/** Parameters of `chat.roles`. */
export interface ChatRolesParams {
  /** Whose role. */
  account: Account;
  /** The chat. */
  chat: ChatId;
  /** The new role. Making an owner gives one's own place away. */
  role: Role;
}

/** Parameters of `message.send`. */
export interface MessageSendParams {
  /** What. */
  body: SendBody;
  /** Where to. */
  chat: ChatId;
  /** The same key with the same chat and body gives the same message, for seven days; with another body an error. */
  idempotency_key?: string;
}

/** Parameters of `message.edit`. */
export interface MessageEditParams {
  /** The message. */
  message: MessageId;
  /** What it says from now on. */
  text: string;
  /** Who is named in that. */
  mentions?: Mention[];
}

/** Parameters of `message.delete`. */
export interface MessageDeleteParams {
  /** The message. */
  message: MessageId;
}

/** Parameters of `message.react`. */
export interface MessageReactParams {
  /** Which. */
  emoji: string;
  /** The message. */
  message: MessageId;
  /** Whether it is taken back. */
  remove?: boolean;
}

/** Parameters of `message.pin`. */
export interface MessagePinParams {
  /** The message. */
  message: MessageId;
}

/** Parameters of `message.unpin`. */
export interface MessageUnpinParams {
  /** The message. */
  message: MessageId;
}

/** Parameters of `message.vote`. */
export interface MessageVoteParams {
  /** Places of the chosen options, from 0; none takes the vote back. */
  choices: number[];
  /** The poll. */
  message: MessageId;
}

/** Parameters of `message.search`. */
export interface MessageSearchParams {
  /** Words, all of which a message has; case, accents and compatible forms don't count. Hangul and other writing without spaces is found anywhere in a word, the words of alphabets by how they begin. */
  query: string;
  /** Only what this account wrote. */
  account?: Account;
  /** `next` of the page before; absent for the first. */
  after?: PageCursor;
  /** Only what was sent then or later, in Unix milliseconds. */
  after_ms?: number;
  /** Only what was sent before then, in Unix milliseconds. */
  before_ms?: number;
  /** Only in this chat. */
  chat?: ChatId;
  /** Items at most; counts as 1,000 if above. */
  limit?: number;
}

/** Parameters of `message.list`. */
export interface MessageListParams {
  /** Of which chat. */
  chat: ChatId;
  /** `next` of a page: the messages after it. */
  after?: PageCursor;
  /** A time in Unix milliseconds: the first message that was sent then or later, and those after it; the newest if there is none. Not together with the others. */
  at_ms?: number;
  /** `prev` of a page: the messages before it. Not together with `after`. */
  before?: PageCursor;
  /** Items at most; counts as 1,000 if above. */
  limit?: number;
}

/** Parameters of `message.get`. */
export interface MessageGetParams {
  /** The message. */
  message: MessageId;
}

/** Parameters of `message.mark_read`. */
export interface MessageMarkReadParams {
  /** The chat. */
  chat: ChatId;
  /** The last message that was read; all shown before it count as read too. */
  through: MessageId;
}

/** Parameters of `blob.put`. */
export interface BlobPutParams {
  /** Bytes of the whole content. */
  length_bytes: number;
  /** It is an image of which nothing shall be told beside the picture: where and when it was taken, by which device. Needed for images unless these are sent with `keep_metadata`. */
  strip_metadata?: boolean;
}

/** Parameters of `blob.write`. */
export interface BlobWriteParams {
  /** Whole chunks of 61,440 bytes, or all that is left. */
  data: string;
  /** Where it goes on: `written_bytes` of the answer before. */
  offset_bytes: number;
  /** The upload. */
  upload: BlobId;
}

/** Parameters of `blob.stat`. */
export interface BlobStatParams {
  /** The content, or the number of the upload. */
  blob: BlobId;
}

/** Parameters of `blob.fetch`. */
export interface BlobFetchParams {
  /** The message. */
  message: MessageId;
}

/** Parameters of `blob.get`. */
export interface BlobGetParams {
  /** The content. */
  blob: BlobId;
  /** Bytes at most; counts as 491,520 if absent or above. */
  length_bytes?: number;
  /** Where to begin. */
  offset_bytes?: number;
}

/** Parameters of `blob.cancel`. */
export interface BlobCancelParams {
  /** The content, or the number of the upload. */
  blob: BlobId;
}

/** Parameters of `channel.list`. */
export interface ChannelListParams {
  /** `next` of the page before; absent for the first. */
  after?: PageCursor;
  /** Items at most; counts as 1,000 if above. */
  limit?: number;
}

/** Parameters of `channel.get`. */
export interface ChannelGetParams {
  /** The channel. */
  channel: ChannelId;
}

/** Parameters of `channel.create`. */
export interface ChannelCreateParams {
  /** What it calls itself. */
  name: string;
  /** What its advertising is labelled with; empty for none. */
  advertising_label?: string;
  /** What its posts can be of. */
  categories?: Category[];
  /** For people. */
  description?: string;
  /** The domain that it belongs to; empty for none. */
  domain?: string;
  /** The same key with the same name gives the same channel, for seven days; with another name an error. */
  idempotency_key?: string;
  /** An invite link by which followers write back; empty for none. */
  inbox?: string;
  /** Addresses. */
  links?: WebLink[];
  /** Posts a day that it promises at most; 0 for no promise. */
  posts_per_day?: number;
  /** Where it is kept, as multiaddrs that end in `/p2p/…`: one relay at least. New ones are handed its newest posts, and who follows goes there. */
  relays?: string[];
}

/** Parameters of `channel.update`. */
export interface ChannelUpdateParams {
  /** The channel. */
  channel: ChannelId;
  /** What its advertising is labelled with; empty for none. */
  advertising_label?: string;
  /** What its posts can be of. */
  categories?: Category[];
  /** For people. */
  description?: string;
  /** The domain that it belongs to; empty for none. */
  domain?: string;
  /** An invite link by which followers write back; empty for none. */
  inbox?: string;
  /** Addresses. */
  links?: WebLink[];
  /** What it calls itself. */
  name?: string;
  /** Posts a day that it promises at most; 0 for no promise. */
  posts_per_day?: number;
  /** Where it is kept, as multiaddrs that end in `/p2p/…`: one relay at least. New ones are handed its newest posts, and who follows goes there. */
  relays?: string[];
}

/** Parameters of `channel.follow`. */
export interface ChannelFollowParams {
  /** The channel's link. */
  link: ChannelLink;
  /** By whom its posts come. */
  via?: Via;
}

/** Parameters of `channel.via`. */
export interface ChannelViaParams {
  /** A channel that is followed, or an own one. */
  channel: ChannelId;
  /** By whom its posts come. */
  via: Via;
}

/** Parameters of `channel.unfollow`. */
export interface ChannelUnfollowParams {
  /** The channel. */
  channel: ChannelId;
}

/** Parameters of `channel.mute`. */
export interface ChannelMuteParams {
  /** The channel. */
  channel: ChannelId;
  /** False to be told again. */
  muted?: boolean;
}

/** Parameters of `channel.block`. */
export interface ChannelBlockParams {
  /** The channel; it needn't be followed. */
  channel: ChannelId;
  /** False to allow it again. */
  blocked?: boolean;
}

/** Parameters of `channel.report`. */
export interface ChannelReportParams {
  /** A channel that is followed. */
  channel: ChannelId;
  /** The post. */
  post: PostId;
  /** Why. */
  reason: ReportReason;
  /** Block the channel in the same step. */
  block?: boolean;
  /** For the operators; they see nothing else of who reports. */
  text?: string;
}

/** Parameters of `channel.preview`. */
export interface ChannelPreviewParams {
  /** What it says. */
  body: NewPostBody;
  /** A channel that this account may write on. */
  channel: ChannelId;
  /** It is advertising. */
  advertising?: boolean;
  /** Where it matters; followers' nodes compare. */
  area?: Area;
  /** When it would be published, in Unix milliseconds; at once if absent or past. */
  at_ms?: number;
  /** Ids of the channel's categories that it is of; none for all who follow. */
  categories?: string[];
  /** It is urgent. */
  urgent?: boolean;
}

/** Parameters of `channel.post`. */
export interface ChannelPostParams {
  /** What it says. */
  body: NewPostBody;
  /** An own channel. */
  channel: ChannelId;
  /** It is advertising. */
  advertising?: boolean;
  /** Where it matters; followers' nodes compare. */
  area?: Area;
  /** When it is published, in Unix milliseconds; at once if absent or past. */
  at_ms?: number;
  /** Ids of the channel's categories that it is of; none for all who follow. */
  categories?: string[];
  /** The same key with the same post gives the same id, for seven days; with another one an error. */
  idempotency_key?: string;
  /** It is urgent. */
  urgent?: boolean;
}

/** Parameters of `channel.plans`. */
export interface ChannelPlansParams {
  /** The channel. */
  channel: ChannelId;
}

/** Parameters of `channel.unplan`. */
export interface ChannelUnplanParams {
  /** The channel. */
  channel: ChannelId;
  /** The post. */
  post: PostId;
}

/** Parameters of `channel.edit`. */
export interface ChannelEditParams {
  /** What it says. */
  body: NewPostBody;
  /** An own channel. */
  channel: ChannelId;
  /** Which post. */
  post: PostId;
  /** It is advertising. */
  advertising?: boolean;
  /** Where it matters; followers' nodes compare. */
  area?: Area;
  /** Ids of the channel's categories that it is of; none for all who follow. */
  categories?: string[];
  /** It is urgent. */
  urgent?: boolean;
}

/** Parameters of `channel.retract`. */
export interface ChannelRetractParams {
  /** An own channel. */
  channel: ChannelId;
  /** Which post. */
  post: PostId;
  /** Why, for people. */
  reason?: string;
}

/** Parameters of `channel.posts`. */
export interface ChannelPostsParams {
  /** Of which channel. */
  channel: ChannelId;
  /** `next` of a page: the posts after it. */
  after?: PageCursor;
  /** `prev` of a page: the posts before it. Not together with `after`. */
  before?: PageCursor;
  /** Items at most; counts as 1,000 if above. */
  limit?: number;
}

/** Parameters of `channel.fetch`. */
export interface ChannelFetchParams {
  /** The channel. */
  channel: ChannelId;
  /** The post. */
  post: PostId;
}

/** Parameters of `channel.mark_read`. */
export interface ChannelMarkReadParams {
  /** The channel. */
  channel: ChannelId;
  /** The post. */
  post: PostId;
}

/** Parameters of `channel.evidence`. */
export interface ChannelEvidenceParams {
  /** The channel. */
  channel: ChannelId;
}

/** Parameters of `channel.verify`. */
export interface ChannelVerifyParams {
  /** Evidence, as `channel.evidence` gives it, or the envelope of an entry, as a relay's operator has it of a post that was reported. */
  data: string;
}

/** Parameters of `channel.terms`. */
export interface ChannelTermsParams {
  /** The channel. */
  channel: ChannelId;
  /** What is wanted of it, in place of what was. */
  terms: ChannelTerms;
}

/** Parameters of `channel.digest`. */
export interface ChannelDigestParams {
  /** The channel. */
  channel: ChannelId;
}

/** Parameters of `channel.vote`. */
export interface ChannelVoteParams {
  /** A channel that is followed. */
  channel: ChannelId;
  /** Places of the chosen options from 0; none takes the answer back. */
  choices: number[];
  /** The post. */
  post: PostId;
}

/** Parameters of `channel.figures`. */
export interface ChannelFiguresParams {
  /** A channel on which this account writes. */
  channel: ChannelId;
  /** A post: then relays are asked to how many it was handed, too, and of polls only it is shown. */
  post?: PostId;
}

/** Parameters of `channel.publish_result`. */
export interface ChannelPublishResultParams {
  /** The channel. */
  channel: ChannelId;
  /** The post. */
  post: PostId;
}

/** Parameters of `channel.writer_key`. */
export interface ChannelWriterKeyParams {
  /** The channel. */
  channel: ChannelId;
}

/** Parameters of `channel.certify`. */
export interface ChannelCertifyParams {
  /** The channel. */
  channel: ChannelId;
  /** What for. */
  scopes: WriterScope[];
  /** Until when, in Unix milliseconds. */
  until_ms: number;
  /** The key, as `channel.writer_key` gave it to its holder. */
  writer: WriterKey;
  /** In which of the channel's categories; all if absent. */
  categories?: string[];
}

/** Parameters of `channel.use_certificate`. */
export interface ChannelUseCertificateParams {
  /** As `channel.certify` gave it. */
  certificate: WriterCertificate;
}

/** Parameters of `channel.writers`. */
export interface ChannelWritersParams {
  /** The channel. */
  channel: ChannelId;
}

/** Parameters of `channel.revoke`. */
export interface ChannelRevokeParams {
  /** The channel. */
  channel: ChannelId;
  /** Whose key. */
  writer: WriterKey;
}

/** Parameters of `channel.recovery_key`. */
export interface ChannelRecoveryKeyParams {
  /** The channel. */
  channel: ChannelId;
}

/** Parameters of `channel.recover`. */
export interface ChannelRecoverParams {
  /** As `channel.recovery_key` gave it. */
  key: RecoveryKey;
}

/** Parameters of `channel.enlist`. */
export interface ChannelEnlistParams {
  /** An own channel. */
  channel: ChannelId;
  /** In whose directories it is to be: relays that keep it. Absent for all of them; empty for none. */
  relays?: RelayKey[];
}

/** Parameters of `channel.search`. */
export interface ChannelSearchParams {
  /** `next` of a page: what comes behind it. */
  after?: PageCursor;
  /** A category's id; absent for all. */
  category?: string;
  /** Items at most; counts as 1,000 if above. A page may have fewer. */
  limit?: number;
  /** Words, all of which the name or the description has; absent for all channels. */
  query?: string;
  /** In whose directory, of a relay that is connected; absent for all of these, one after the other. */
  relay?: RelayKey;
}

/** Parameters of `channel.vouch`. */
export interface ChannelVouchParams {
  /** The channel. */
  channel: ChannelId;
}

/** Parameters of `channel.prove`. */
export interface ChannelProveParams {
  /** The channel. */
  channel: ChannelId;
}

/** Parameters of `archive.add`. */
export interface ArchiveAddParams {
  /** The account that exported it. */
  account: Account;
  /** The chat that was exported, which need not be known here. */
  chat: ChatId;
  /** When it was exported, in Unix milliseconds. */
  exported_ms: number;
  /** Some of its messages; those that are there already are passed over. */
  messages: Archived[];
  /** What the chat was called. */
  name?: string;
}

/** Parameters of `archive.list`. */
export interface ArchiveListParams {
  /** `next` of the page before; absent for the first. */
  after?: PageCursor;
  /** Items at most; counts as 1,000 if above. */
  limit?: number;
}

/** Parameters of `archive.messages`. */
export interface ArchiveMessagesParams {
  /** Of which archive. */
  archive: ArchiveId;
  /** `next` of the page before; absent for the first. */
  after?: PageCursor;
  /** A time in Unix milliseconds: only what was sent then or later. */
  at_ms?: number;
  /** Items at most; counts as 1,000 if above. */
  limit?: number;
  /** Only those that have these words, as `message.search` finds them. */
  query?: string;
}

/** Parameters of `archive.remove`. */
export interface ArchiveRemoveParams {
  /** The archive. */
  archive: ArchiveId;
}

/** Parameters of `relay.evidence`. */
export interface RelayEvidenceParams {
  /** About this relay only. */
  relay?: RelayKey;
}

/** Parameters of `app.request`. */
export interface AppRequestParams {
  /** What it calls itself; no control characters. */
  name: string;
  /** What it wants to be allowed. */
  scopes: Scope[];
  /** A small picture, in base64. */
  icon?: string;
  /** The page that it is, as the browser names it: `https://shop.example`. From a page nothing else is taken, and it may be absent. */
  origin?: string;
}

/** Parameters of `app.list`. */
export interface AppListParams {
  /** `next` of the page before; absent for the first. */
  after?: PageCursor;
  /** Items at most; counts as 1,000 if above. */
  limit?: number;
}

/** Parameters of `app.handle`. */
export interface AppHandleParams {
  /** The app whose cards they are: its key. */
  app: ShareAppId;
  /** What it wants to be told of them; one at least. */
  events: HandledEvent[];
}

/** Parameters of `app.approve`. */
export interface AppApproveParams {
  /** Which. */
  app: AppKey;
  /** How long, in seconds; for good if absent. Of one that is in already its token's end stays. */
  expires_in_s?: number;
  /** What it is allowed of what it asks for; all of that if absent. */
  scopes?: Scope[];
}

/** Parameters of `app.mint`. */
export interface AppMintParams {
  /** What the new token is called; no control characters. */
  name: string;
  /** What it allows; each within what the caller's allows. */
  scopes: Scope[];
  /** How long, in seconds; as long as the caller's if absent. */
  expires_in_s?: number;
}

/** Parameters of `app.revoke`. */
export interface AppRevokeParams {
  /** Which. */
  app: AppKey;
}

/** Parameters of `share.validate`. */
export interface ShareValidateParams {
  /** The card, by the schema of shares. */
  share: Record<string, unknown>;
  /** The app that signs it: its `manifest` and the `signature` under that. */
  app?: Record<string, unknown>;
  /** The app's signature under the card, in base64url. */
  signature?: string;
}

/** Parameters of `share.preview`. */
export interface SharePreviewParams {
  /** The card, by the schema of shares. */
  share: Record<string, unknown>;
  /** The app that signs it: its `manifest` and the `signature` under that. */
  app?: Record<string, unknown>;
  /** The language of what isn't the card's; English if absent. */
  lang?: ShareLanguage;
  /** The app's signature under the card, in base64url. */
  signature?: string;
}

/** Parameters of `share.scrape`. */
export interface ShareScrapeParams {
  /** The page, `https`. */
  url: string;
}

/** Parameters of `share.send`. */
export interface ShareSendParams {
  /** Where to. */
  chats: ChatId[];
  /** The same key with the same card gives the same messages, for seven days; with another card an error. */
  idempotency_key: string;
  /** The app that signs it: its `manifest` and the `signature` under that. */
  app?: Record<string, unknown>;
  /** A message whose card is sent on, as it is signed there, with its pictures that are here. Needs `chat:read` of its chat too. */
  message?: MessageId;
  /** The card, by the schema of shares; or else `message`. */
  share?: Record<string, unknown>;
  /** The app's signature under the card, in base64url. */
  signature?: string;
}

/** Parameters of `share.pick`. */
export interface SharePickParams {
  /** The card, by the schema of shares. */
  share: Record<string, unknown>;
  /** The app that signs it: its `manifest` and the `signature` under that. */
  app?: Record<string, unknown>;
  /** The app's signature under the card, in base64url. */
  signature?: string;
  /** How long to wait for the user, in milliseconds; counts as 60,000 if above. */
  timeout_ms?: number;
}

/** Parameters of `share.picked`. */
export interface SharePickedParams {
  /** Which. */
  pick: PickId;
  /** How long to wait for the user, in milliseconds; counts as 60,000 if above. */
  timeout_ms?: number;
}

/** Parameters of `share.shown`. */
export interface ShareShownParams {
  /** Which. */
  pick: PickId;
  /** The language of what isn't the card's; English if absent. */
  lang?: ShareLanguage;
}

/** Parameters of `share.offer`. */
export interface ShareOfferParams {
  /** The card's link, `madang:share?…`. */
  link: string;
  /** The page that offers it, as the browser names it. */
  origin?: string;
}

/** Parameters of `share.confirm`. */
export interface ShareConfirmParams {
  /** Where to. */
  chats: ChatId[];
  /** Which. */
  pick: PickId;
}

/** Parameters of `share.decline`. */
export interface ShareDeclineParams {
  /** Which. */
  pick: PickId;
}

/** Parameters of `share.open`. */
export interface ShareOpenParams {
  /** The message with the card. */
  message: MessageId;
  /** What of it is tapped, by its path, like `buttons[0]` or `contents[1]`; without it the card itself. */
  button?: string;
  /** The kind of device, if that isn't a computer. */
  device?: ShareDevice;
  /** The system where it is tapped, if that isn't the node's. */
  os?: ShareOs;
  /** Schemes that something on the device opens. */
  schemes?: string[];
  /** Whether who shared it may learn that it was opened, where its app asks for that; false if absent. */
  tell?: boolean;
}

/** Parameters of `share.prove`. */
export interface ShareProveParams {
  /** The message with the card. */
  message: MessageId;
}

/** Parameters of `share.reply`. */
export interface ShareReplyParams {
  /** The message with the card. */
  message: MessageId;
  /** The button that hands its `data` back, by its path. */
  button?: string;
  /** What is handed back, where no button says it. */
  data?: string;
}

/** Parameters of `share.confirm_reply`. */
export interface ShareConfirmReplyParams {
  /** Which. */
  reply: PickId;
}

/** Parameters of `share.decline_reply`. */
export interface ShareDeclineReplyParams {
  /** Which. */
  reply: PickId;
}

/** Parameters of `share.enter`. */
export interface ShareEnterParams {
  /** The code. */
  code: string;
}

/** Parameters of `event.poll`. */
export interface EventPollParams {
  /** The event behind which to begin: `0` is the log's start, `ack` what this token's app has acknowledged last, absent is now. */
  after?: string;
  /** The epoch that came with the cursor in `after`: says whether it is of this log. */
  epoch?: EventEpoch;
  /** Which events; all if absent. */
  filter?: Filter;
  /** Items at most; counts as 1,000 if above. */
  limit?: number;
  /** How long to wait for the first, in milliseconds; counts as 60,000 if above. */
  timeout_ms?: number;
}

/** Parameters of `event.ack`. */
export interface EventAckParams {
  /** The last event that was dealt with. */
  cursor: EventCursor;
  /** The epoch that came with it. */
  epoch?: EventEpoch;
}

/** Parameters of `event.webhook_set`. */
export interface EventWebhookSetParams {
  /** Which events; all that the token may read if absent. */
  filter: Filter;
  /** Where events are posted: `https://…`, or `http://` to this machine; an app's into no private network. */
  url: string;
  /** The last event that isn't posted. If absent, a webhook that is replaced goes on where it was, and a new one begins now. */
  after?: EventCursor;
  /** Whose webhook; that of this token's app if absent. Another's needs `app:manage`. */
  app?: AppKey;
  /** The epoch that came with `after`. */
  epoch?: EventEpoch;
  /** What posts are signed with; made if absent. */
  secret?: string;
}

/** Parameters of `event.webhook_remove`. */
export interface EventWebhookRemoveParams {
  /** Whose webhook; that of this token's app if absent. Another's needs `app:manage`. */
  app?: AppKey;
}

/** Parameters of `event.subscribe`. */
export interface EventSubscribeParams {
  /** The event behind which to begin: `0` is the log's start, `ack` what this token's app has acknowledged last, absent is now. */
  after?: string;
  /** The epoch that came with the cursor in `after`: says whether it is of this log. */
  epoch?: EventEpoch;
  /** Which events; all if absent. */
  filter?: Filter;
}

/** Parameters of `event.unsubscribe`. */
export interface EventUnsubscribeParams {
  /** The subscription. */
  subscription: number;
}

/** The node's codes of errors. */
export type ErrorCode =
  | "blob_damaged"
  | "card_unavailable"
  | "disk_full"
  | "domain_unavailable"
  | "idempotency_conflict"
  | "internal"
  | "invalid_params"
  | "invalid_request"
  | "invite_expired"
  | "invite_invalid"
  | "limit_reached"
  | "method_not_found"
  | "not_allowed"
  | "not_found"
  | "not_whole"
  | "overloaded"
  | "own_invite"
  | "parse_error"
  | "phrase_erased"
  | "rate_limited"
  | "read_only"
  | "relay_unavailable"
  | "scope_missing"
  | "token_ended"
  | "too_large";

/** The node's methods, by namespace. */
export abstract class Methods {
  /** Calls a method by its name. */
  abstract call<R>(method: string, params: object, signal?: AbortSignal): Promise<R>;

  readonly rpc = {
    /** This JSON-RPC, as an OpenRPC document. */
    discover: (signal?: AbortSignal): Promise<OpenRpc> =>
      this.call("rpc.discover", {}, signal),
  };

  readonly node = {
    /** This node: its account and device, its addresses, the relays that it uses. */
    info: (signal?: AbortSignal): Promise<NodeInfo> =>
      this.call("node.info", {}, signal),
    /** Looks for what keeps messages from flowing, and what the user can do about it. */
    doctor: (signal?: AbortSignal): Promise<Doctor> =>
      this.call("node.doctor", {}, signal),
  };

  readonly account = {
    /** This account. */
    get: (signal?: AbortSignal): Promise<AccountInfo> =>
      this.call("account.get", {}, signal),
    /**
     * The account's recovery phrase.
     *
     * It is gone once it was confirmed: `phrase_erased`.
     */
    phrase: (signal?: AbortSignal): Promise<Phrase> =>
      this.call("account.phrase", {}, signal),
    /** Says that the user has written the phrase down: the root key is erased from this device. */
    confirm_phrase: (signal?: AbortSignal): Promise<Done> =>
      this.call("account.confirm_phrase", {}, signal),
  };

  readonly contact = {
    /** Makes a link by which others ask for contact. */
    invite: (params: ContactInviteParams = {}, signal?: AbortSignal): Promise<Invite> =>
      this.call("contact.invite", params, signal),
    /**
     * Asks for contact by a link, or to be let into a group by its link.
     *
     * Waits up to 20 s for the inviter's card. The chat is `requested` until the other side has approved.
     */
    accept: (params: ContactAcceptParams, signal?: AbortSignal): Promise<ChatRef> =>
      this.call("contact.accept", params, signal),
    /** Requests that wait for the user: for contact, or with `chat` to be let into that group. */
    requests: (params: ContactRequestsParams = {}, signal?: AbortSignal): Promise<ContactRequestPage> =>
      this.call("contact.requests", params, signal),
    /** Approves a request. */
    approve: (params: ContactApproveParams, signal?: AbortSignal): Promise<ChatRef> =>
      this.call("contact.approve", params, signal),
    /** Drops a request; whoever asked isn't told. */
    decline: (params: ContactDeclineParams, signal?: AbortSignal): Promise<Done> =>
      this.call("contact.decline", params, signal),
    /** Contacts. */
    list: (params: ContactListParams = {}, signal?: AbortSignal): Promise<ContactPage> =>
      this.call("contact.list", params, signal),
  };

  readonly chat = {
    /** Chats; of a token that names single chats those. */
    list: (params: ChatListParams = {}, signal?: AbortSignal): Promise<ChatPage> =>
      this.call("chat.list", params, signal),
    /** A chat, and how its state is. */
    get: (params: ChatGetParams, signal?: AbortSignal): Promise<ChatDetails> =>
      this.call("chat.get", params, signal),
    /** Who is in a chat. */
    members: (params: ChatMembersParams, signal?: AbortSignal): Promise<Members> =>
      this.call("chat.members", params, signal),
    /** What is missing of others' messages in a chat. */
    gaps: (params: ChatGapsParams, signal?: AbortSignal): Promise<Gaps> =>
      this.call("chat.gaps", params, signal),
    /** Messages that are kept in sight in a chat, the ones that came to be so last first; 100 at most. */
    pins: (params: ChatPinsParams, signal?: AbortSignal): Promise<MessagePage> =>
      this.call("chat.pins", params, signal),
    /** Makes a group of contacts. Its relays are the creator's. */
    create: (params: ChatCreateParams, signal?: AbortSignal): Promise<ChatRef> =>
      this.call("chat.create", params, signal),
    /**
     * Adds contacts to a group, as an admin.
     *
     * Answers once the change is durable here, with the chat as it is then. If another's change wins, it is made again by itself.
     */
    add: (params: ChatAddParams, signal?: AbortSignal): Promise<Chat> =>
      this.call("chat.add", params, signal),
    /**
     * Removes members from a group, as an admin of higher rank.
     *
     * Whoever is removed neither finds nor reads what follows.
     */
    remove: (params: ChatRemoveParams, signal?: AbortSignal): Promise<Chat> =>
      this.call("chat.remove", params, signal),
    /**
     * Leaves a group: the others are asked to remove this account.
     *
     * The chat's `state` becomes `left` once one of them has.
     */
    leave: (params: ChatLeaveParams, signal?: AbortSignal): Promise<Chat> =>
      this.call("chat.leave", params, signal),
    /**
     * Makes an invite link of a group, as an admin; for `contact.accept`.
     *
     * Who was removed from the group waits for approval in any case.
     */
    invite: (params: ChatInviteParams, signal?: AbortSignal): Promise<Invite> =>
      this.call("chat.invite", params, signal),
    /** This account's open links of a group. */
    invites: (params: ChatInvitesParams, signal?: AbortSignal): Promise<GroupInvites> =>
      this.call("chat.invites", params, signal),
    /**
     * Takes a link of a group back: it lets nobody in any more.
     *
     * Requests by it are gone. So it is for links whose maker is no admin any more.
     */
    uninvite: (params: ChatUninviteParams, signal?: AbortSignal): Promise<Done> =>
      this.call("chat.uninvite", params, signal),
    /** Changes a chat's name, picture or timer; what is absent stays. In a one-to-one chat only the timer. */
    update: (params: ChatUpdateParams, signal?: AbortSignal): Promise<Chat> =>
      this.call("chat.update", params, signal),
    /**
     * Tells members' devices that are connected now that the user types, or has stopped.
     *
     * At most once in 5 s for a chat; more is left out without an error. It goes by no relay and is kept by nobody.
     */
    typing: (params: ChatTypingParams, signal?: AbortSignal): Promise<Done> =>
      this.call("chat.typing", params, signal),
    /** Changes a member's rank, as an admin of higher rank. Making an `owner` gives one's own place away. */
    roles: (params: ChatRolesParams, signal?: AbortSignal): Promise<Chat> =>
      this.call("chat.roles", params, signal),
  };

  readonly message = {
    /**
     * Sends a message: answers when it is durable here.
     *
     * The id stays, but for what is sent on data that turns out to be an old copy: it gets another one, `message.updated` tells it, and the one that was answered leads to it in this node's answers.
     */
    send: (params: MessageSendParams, signal?: AbortSignal): Promise<Sent> =>
      this.call("message.send", params, signal),
    /** Changes a text that this account wrote. */
    edit: (params: MessageEditParams, signal?: AbortSignal): Promise<Message> =>
      this.call("message.edit", params, signal),
    /** Takes a message back that this account wrote. */
    delete: (params: MessageDeleteParams, signal?: AbortSignal): Promise<Message> =>
      this.call("message.delete", params, signal),
    /** Leaves an emoji at a message, or takes it back. */
    react: (params: MessageReactParams, signal?: AbortSignal): Promise<Message> =>
      this.call("message.react", params, signal),
    /**
     * Keeps a message in sight for all of its chat; in a group as an admin.
     *
     * It counts while whoever pinned it is an admin.
     */
    pin: (params: MessagePinParams, signal?: AbortSignal): Promise<Message> =>
      this.call("message.pin", params, signal),
    /** Keeps a message in sight no longer; in a group as an admin. */
    unpin: (params: MessageUnpinParams, signal?: AbortSignal): Promise<Message> =>
      this.call("message.unpin", params, signal),
    /** Votes in a poll. */
    vote: (params: MessageVoteParams, signal?: AbortSignal): Promise<Message> =>
      this.call("message.vote", params, signal),
    /** Finds messages by words, the newest first. */
    search: (params: MessageSearchParams, signal?: AbortSignal): Promise<SearchPage> =>
      this.call("message.search", params, signal),
    /** Messages of a chat in the order shown; without `before`, `after` and `at_ms` the newest. */
    list: (params: MessageListParams, signal?: AbortSignal): Promise<MessagePage> =>
      this.call("message.list", params, signal),
    /** A message. */
    get: (params: MessageGetParams, signal?: AbortSignal): Promise<Message> =>
      this.call("message.get", params, signal),
    /** Marks a chat's messages as read. */
    mark_read: (params: MessageMarkReadParams, signal?: AbortSignal): Promise<Done> =>
      this.call("message.mark_read", params, signal),
  };

  readonly blob = {
    /**
     * Begins an upload of a file that is to be sent.
     *
     * Its content goes by `blob.write`, or by `PATCH /blob/UPLOAD` with `Upload-Offset`; `blob.stat` says where it goes on after an interruption. What is not written to for a day, or named by no message, is forgotten.
     */
    put: (params: BlobPutParams, signal?: AbortSignal): Promise<Written> =>
      this.call("blob.put", params, signal),
    /** Writes the next part of an upload: it is sealed and on disk when this answers, with `blob` once it was the last. */
    write: (params: BlobWriteParams, signal?: AbortSignal): Promise<Written> =>
      this.call("blob.write", params, signal),
    /** How a file is, by its content or the number of its upload. */
    stat: (params: BlobStatParams, signal?: AbortSignal): Promise<Blob> =>
      this.call("blob.stat", params, signal),
    /**
     * Fetches the files of a message from whoever has them; answers how they are at once.
     *
     * Event `blob.progress` tells how it goes. What was begun goes on after a restart. Small files are fetched when their message comes.
     */
    fetch: (params: BlobFetchParams, signal?: AbortSignal): Promise<Blobs> =>
      this.call("blob.fetch", params, signal),
    /** Reads a part of a file that is here whole. `GET /blob/ID` reads it too, with `Range`. */
    get: (params: BlobGetParams, signal?: AbortSignal): Promise<BlobPart> =>
      this.call("blob.get", params, signal),
    /** Ends an upload or a fetch, and forgets what is here of it; also frees the room of a file that was fetched. */
    cancel: (params: BlobCancelParams, signal?: AbortSignal): Promise<Done> =>
      this.call("blob.cancel", params, signal),
  };

  readonly channel = {
    /** Channels that are followed, blocked or this account's own, by id; of a token that names single channels those. */
    list: (params: ChannelListParams = {}, signal?: AbortSignal): Promise<ChannelPage> =>
      this.call("channel.list", params, signal),
    /** A channel: what it says of itself, and what is missing of it. */
    get: (params: ChannelGetParams, signal?: AbortSignal): Promise<Channel> =>
      this.call("channel.get", params, signal),
    /** Makes a channel. Its relays are this account's. */
    create: (params: ChannelCreateParams, signal?: AbortSignal): Promise<Channel> =>
      this.call("channel.create", params, signal),
    /** Changes what an own channel says of itself; what is absent stays. */
    update: (params: ChannelUpdateParams, signal?: AbortSignal): Promise<Channel> =>
      this.call("channel.update", params, signal),
    /**
     * Follows a channel by its link.
     *
     * Answers at once; what it says comes from its relays, and `channel.updated` tells it.
     */
    follow: (params: ChannelFollowParams, signal?: AbortSignal): Promise<Channel> =>
      this.call("channel.follow", params, signal),
    /**
     * Says by whom a channel's posts come: its relays alone, or followers too, who pass them on to each other.
     *
     * With `followers` this node is named to others who follow the channel, with its addresses, and whoever is connected to it learns that it follows. It is how nobody can show two followers two versions for long, and how posts come while all relays are away.
     */
    via: (params: ChannelViaParams, signal?: AbortSignal): Promise<Channel> =>
      this.call("channel.via", params, signal),
    /** Follows a channel no longer, and forgets what is here of it. */
    unfollow: (params: ChannelUnfollowParams, signal?: AbortSignal): Promise<Done> =>
      this.call("channel.unfollow", params, signal),
    /** Has the user told of a channel's new posts no longer, or again. They come all the same. */
    mute: (params: ChannelMuteParams, signal?: AbortSignal): Promise<Channel> =>
      this.call("channel.mute", params, signal),
    /** Has nothing to do with a channel any more, or allows it again: it is followed no longer, and can't be. */
    block: (params: ChannelBlockParams, signal?: AbortSignal): Promise<Done> =>
      this.call("channel.block", params, signal),
    /**
     * Reports a post of a followed channel to the operators of the channel's relays, with its envelope as evidence, and blocks the channel in the same step if `block` says so.
     *
     * It says nothing of who reports; a relay sees the connection that it comes by. It waits for relays that are away, for a week; event `channel.reported` tells of each relay whether it has it. A post that is on its way already isn't reported once more.
     */
    report: (params: ChannelReportParams, signal?: AbortSignal): Promise<ReportSent> =>
      this.call("channel.report", params, signal),
    /** What a follower would see of a post: it is checked and shown as if it had come, but neither kept nor sent. Its id is zeros, and the follower's own terms aren't known here. */
    preview: (params: ChannelPreviewParams, signal?: AbortSignal): Promise<Post> =>
      this.call("channel.preview", params, signal),
    /** Posts on an own channel, now or at a time: answers when it is durable here. */
    post: (params: ChannelPostParams, signal?: AbortSignal): Promise<Posted> =>
      this.call("channel.post", params, signal),
    /** Posts of an own channel that are to be published later. */
    plans: (params: ChannelPlansParams, signal?: AbortSignal): Promise<PlanPage> =>
      this.call("channel.plans", params, signal),
    /** Drops a post that was to be published later. */
    unplan: (params: ChannelUnplanParams, signal?: AbortSignal): Promise<Done> =>
      this.call("channel.unplan", params, signal),
    /** Gives a post of an own channel another content. Both stay in the channel's log. */
    edit: (params: ChannelEditParams, signal?: AbortSignal): Promise<Posted> =>
      this.call("channel.edit", params, signal),
    /** Takes a post of an own channel back. It stays in the channel's log, and isn't shown. */
    retract: (params: ChannelRetractParams, signal?: AbortSignal): Promise<Posted> =>
      this.call("channel.retract", params, signal),
    /** Posts of a channel by time; without `before` and `after` the newest. Older ones come from a relay where they aren't here. */
    posts: (params: ChannelPostsParams, signal?: AbortSignal): Promise<PostPage> =>
      this.call("channel.posts", params, signal),
    /** Fetches the files of a post; answers how they are at once. Event `blob.progress` tells how it goes. */
    fetch: (params: ChannelFetchParams, signal?: AbortSignal): Promise<Blobs> =>
      this.call("channel.fetch", params, signal),
    /** Marks posts as seen, up to one. */
    mark_read: (params: ChannelMarkReadParams, signal?: AbortSignal): Promise<Done> =>
      this.call("channel.mark_read", params, signal),
    /** What was kept as proof that a channel's writers signed what contradicts itself. */
    evidence: (params: ChannelEvidenceParams, signal?: AbortSignal): Promise<ChannelEvidencePage> =>
      this.call("channel.evidence", params, signal),
    /** Checks evidence against a channel, whoever gives it: says what it proves, without asking anybody. */
    verify: (params: ChannelVerifyParams, signal?: AbortSignal): Promise<ChannelEvidence> =>
      this.call("channel.verify", params, signal),
    /**
     * Says what of a followed channel is wanted, and when, in place of what was. It is weighed on this device, and nobody learns of it.
     *
     * What is held back waits in `held` of `channel.get`; `channel.post` tells it when its time has come.
     */
    terms: (params: ChannelTermsParams, signal?: AbortSignal): Promise<Channel> =>
      this.call("channel.terms", params, signal),
    /** Opens the digest: the posts that were held back, which nothing is any more. */
    digest: (params: ChannelDigestParams, signal?: AbortSignal): Promise<PostPage2> =>
      this.call("channel.digest", params, signal),
    /**
     * Answers a poll of a followed channel, in place of an earlier answer.
     *
     * Only whoever posted the poll can read the answer, and learns nothing of who gave it. The channel's relays see that this device has answered.
     */
    vote: (params: ChannelVoteParams, signal?: AbortSignal): Promise<Post> =>
      this.call("channel.vote", params, signal),
    /**
     * Figures of a channel on which this account writes, rounded down to tens and none below 20: how many watch it at each of its relays, to how many these have handed a post, and polls.
     *
     * The relays are asked; one that doesn't answer within ten seconds is `silent`.
     */
    figures: (params: ChannelFiguresParams, signal?: AbortSignal): Promise<ChannelFigures> =>
      this.call("channel.figures", params, signal),
    /** Tells followers what a poll that this device posted has come to so far, by an edit of the post. */
    publish_result: (params: ChannelPublishResultParams, signal?: AbortSignal): Promise<Post> =>
      this.call("channel.publish_result", params, signal),
    /** A key of this account's to write on a followed channel with, once its root certifies it; the same each time. */
    writer_key: (params: ChannelWriterKeyParams, signal?: AbortSignal): Promise<WriterKeyMade> =>
      this.call("channel.writer_key", params, signal),
    /** Lets a key write on an own channel: gives the certificate for its holder. */
    certify: (params: ChannelCertifyParams, signal?: AbortSignal): Promise<Certified> =>
      this.call("channel.certify", params, signal),
    /** Uses a certificate. With the scope `root` the channel is this account's from then on. */
    use_certificate: (params: ChannelUseCertificateParams, signal?: AbortSignal): Promise<Channel> =>
      this.call("channel.use_certificate", params, signal),
    /** Who may write on an own channel beside its root. */
    writers: (params: ChannelWritersParams, signal?: AbortSignal): Promise<ChannelWriterPage> =>
      this.call("channel.writers", params, signal),
    /** Lets a key write no longer on an own channel. What it wrote until now stays. */
    revoke: (params: ChannelRevokeParams, signal?: AbortSignal): Promise<Done> =>
      this.call("channel.revoke", params, signal),
    /** Makes a key that takes an own channel back should this account's be lost or stolen. It isn't kept here, and takes the place of earlier ones. */
    recovery_key: (params: ChannelRecoveryKeyParams, signal?: AbortSignal): Promise<RecoveryMade> =>
      this.call("channel.recovery_key", params, signal),
    /** Takes a channel back: it is this account's from then on. */
    recover: (params: ChannelRecoverParams, signal?: AbortSignal): Promise<Channel> =>
      this.call("channel.recover", params, signal),
    /**
     * Puts an own channel into the public directories of relays that keep it, so that anybody can find it there, and takes it out of the others'.
     *
     * No channel is in one unless this is called. What the relays say to it is in `listings` of `channel.get`.
     */
    enlist: (params: ChannelEnlistParams, signal?: AbortSignal): Promise<Channel> =>
      this.call("channel.enlist", params, signal),
    /**
     * Looks for channels in the public directories of relays that are connected.
     *
     * A relay sees what is looked for. It can leave out channels, but can't make up or change any: each is signed by its root.
     */
    search: (params: ChannelSearchParams = {}, signal?: AbortSignal): Promise<FoundChannels> =>
      this.call("channel.search", params, signal),
    /** What the domain that an own channel names is to publish, so that followers can see that it is the channel's. */
    vouch: (params: ChannelVouchParams, signal?: AbortSignal): Promise<Vouched> =>
      this.call("channel.vouch", params, signal),
    /** Asks the domain that a channel names whether it vouches for it. Its web server sees this machine's address. */
    prove: (params: ChannelProveParams, signal?: AbortSignal): Promise<Channel> =>
      this.call("channel.prove", params, signal),
  };

  readonly archive = {
    /**
     * Keeps messages of an exported chat, apart from those of chats: they are what a file says and nobody has proved.
     *
     * A few at a time, in as many calls as it takes. Importing the same again changes nothing.
     */
    add: (params: ArchiveAddParams, signal?: AbortSignal): Promise<ArchiveImported> =>
      this.call("archive.add", params, signal),
    /** What was imported. */
    list: (params: ArchiveListParams = {}, signal?: AbortSignal): Promise<ArchivePage> =>
      this.call("archive.list", params, signal),
    /**
     * Imported messages, the oldest first.
     *
     * With `query` a page may be short, or empty, although there is a `next`: it ends when much was read.
     */
    messages: (params: ArchiveMessagesParams, signal?: AbortSignal): Promise<ArchiveItemPage> =>
      this.call("archive.messages", params, signal),
    /** Removes imported messages. */
    remove: (params: ArchiveRemoveParams, signal?: AbortSignal): Promise<Done> =>
      this.call("archive.remove", params, signal),
  };

  readonly relay = {
    /** What was kept as proof of what relays did. */
    evidence: (params: RelayEvidenceParams = {}, signal?: AbortSignal): Promise<EvidencePage> =>
      this.call("relay.evidence", params, signal),
  };

  readonly app = {
    /** Apps, and who wants to become one. */
    list: (params: AppListParams = {}, signal?: AbortSignal): Promise<AppPage> =>
      this.call("app.list", params, signal),
    /**
     * Asks the user to let this token's app handle the cards that an app's key signed: scope `share:KEY:handle`, once it is approved.
     *
     * An app without a token asks for the scope as for any other, by `app.request`. What waits for longer than ten minutes is forgotten.
     */
    handle: (params: AppHandleParams, signal?: AbortSignal): Promise<App> =>
      this.call("app.handle", params, signal),
    /** Lets an app in: its token works from now on. Or allows what one asks for that is in already. */
    approve: (params: AppApproveParams, signal?: AbortSignal): Promise<App> =>
      this.call("app.approve", params, signal),
    /** The app of this token. */
    self: (signal?: AbortSignal): Promise<App> =>
      this.call("app.self", {}, signal),
    /** Makes a token within the caller's own, which ends no later and ends with it. */
    mint: (params: AppMintParams, signal?: AbortSignal): Promise<AppToken> =>
      this.call("app.mint", params, signal),
    /**
     * Ends an app's token and those that it made, and closes their connections; also turns away who asks.
     *
     * Any token may end itself and those that it made.
     */
    revoke: (params: AppRevokeParams, signal?: AbortSignal): Promise<Done> =>
      this.call("app.revoke", params, signal),
  };

  readonly share = {
    /** Checks a card as whoever receives it does, and says who stands for it. Errors name the member at fault. */
    validate: (params: ShareValidateParams, signal?: AbortSignal): Promise<ShareChecked> =>
      this.call("share.validate", params, signal),
    /** Shows a card as whoever receives it sees it, before it is sent: as text, and as HTML for a page of the caller's own. */
    preview: (params: SharePreviewParams, signal?: AbortSignal): Promise<SharePreview> =>
      this.call("share.preview", params, signal),
    /**
     * Makes a card of a page, of what it says of itself (Open Graph, oEmbed): this node fetches it, so that no receiver does.
     *
     * Nothing is sent: the card is for `share.pick` or `share.send`. Only from public addresses.
     */
    scrape: (params: ShareScrapeParams, signal?: AbortSignal): Promise<Scraped> =>
      this.call("share.scrape", params, signal),
    /**
     * Sends a card to chats. The scope is the user's grant; without it `share.pick` asks the user.
     *
     * Answers when all are durable here. If it fails at one chat, the same call goes on where it was.
     */
    send: (params: ShareSendParams, signal?: AbortSignal): Promise<SharesSent> =>
      this.call("share.send", params, signal),
    /**
     * Offers a card to the user, who chooses chats in the picker, and waits for the choice.
     *
     * Nothing is sent before. `url` is where the user chooses; what waits for longer than ten minutes is forgotten.
     */
    pick: (params: SharePickParams, signal?: AbortSignal): Promise<Picked> =>
      this.call("share.pick", params, signal),
    /** Waits for the user's choice about a card that this token's app has offered. */
    picked: (params: SharePickedParams, signal?: AbortSignal): Promise<Picked> =>
      this.call("share.picked", params, signal),
    /** Cards that wait for the user. */
    picks: (signal?: AbortSignal): Promise<PickPage> =>
      this.call("share.picks", {}, signal),
    /** One of them. */
    shown: (params: ShareShownParams, signal?: AbortSignal): Promise<PickShown> =>
      this.call("share.shown", params, signal),
    /** Takes the card with which a page has sent the user's browser to the picker. It waits for the user as others do. */
    offer: (params: ShareOfferParams, signal?: AbortSignal): Promise<Pick> =>
      this.call("share.offer", params, signal),
    /** Sends what waits: the user has seen it and chosen where to. */
    confirm: (params: ShareConfirmParams, signal?: AbortSignal): Promise<Picked> =>
      this.call("share.confirm", params, signal),
    /** Drops what waits; whoever asked is told `cancelled`. */
    decline: (params: ShareDeclineParams, signal?: AbortSignal): Promise<Done> =>
      this.call("share.decline", params, signal),
    /**
     * Says what a tap on a card does on this device, and hands the card to the app at this node that handles it, if the tap leads there.
     *
     * The sharer learns nothing of it unless `tell` says so. What the action names is for the program to do. Where it leads to the app or a page, the domains that the app names are asked before whether they vouch for it, at most once a day; an app here is handed the card without that.
     */
    open: (params: ShareOpenParams, signal?: AbortSignal): Promise<ShareOpened> =>
      this.call("share.open", params, signal),
    /** Asks the domains that a card's app names whether they vouch for it. They learn this node's address. */
    prove: (params: ShareProveParams, signal?: AbortSignal): Promise<ShareProved> =>
      this.call("share.prove", params, signal),
    /**
     * Answers a card, for the app that shared it: with what a button hands back once the user has seen it, or with `data` of an app that handles it.
     *
     * With `share:reply`, or `share:KEY:reply` for the card's key, it is sent. An app that handles the card without that has it wait for the user, for a week; event `share.reply_waiting`.
     */
    reply: (params: ShareReplyParams, signal?: AbortSignal): Promise<ShareReplied> =>
      this.call("share.reply", params, signal),
    /** Answers of apps that wait for the user. */
    replies: (signal?: AbortSignal): Promise<WaitingReplyPage> =>
      this.call("share.replies", {}, signal),
    /** Sends an answer that waits: the user has seen it. */
    confirm_reply: (params: ShareConfirmReplyParams, signal?: AbortSignal): Promise<Done> =>
      this.call("share.confirm_reply", params, signal),
    /** Drops an answer that waits; its app isn't told. */
    decline_reply: (params: ShareDeclineReplyParams, signal?: AbortSignal): Promise<Done> =>
      this.call("share.decline_reply", params, signal),
    /** Makes an address that lets the browser in that opens it first, so that the user chooses there. */
    browser: (signal?: AbortSignal): Promise<BrowserCode> =>
      this.call("share.browser", {}, signal),
  };

  readonly event = {
    /**
     * Reads events of the durable log, and waits for the first.
     *
     * A page may be shorter than `limit` although there is more.
     */
    poll: (params: EventPollParams = {}, signal?: AbortSignal): Promise<EventPage> =>
      this.call("event.poll", params, signal),
    /** Says which event this token's app has dealt with last; never goes back. */
    ack: (params: EventAckParams, signal?: AbortSignal): Promise<Done> =>
      this.call("event.ack", params, signal),
    /**
     * Has events posted to a URL, signed as Standard Webhooks has it.
     *
     * One webhook a token: another takes its place and goes on where that was. It ends with the token.
     */
    webhook_set: (params: EventWebhookSetParams, signal?: AbortSignal): Promise<WebhookMade> =>
      this.call("event.webhook_set", params, signal),
    /** The webhook of this token's app; of all, to who manages apps. */
    webhooks: (signal?: AbortSignal): Promise<WebhookPage> =>
      this.call("event.webhooks", {}, signal),
    /** Ends a webhook. */
    webhook_remove: (params: EventWebhookRemoveParams = {}, signal?: AbortSignal): Promise<Done> =>
      this.call("event.webhook_remove", params, signal),
  };
}
