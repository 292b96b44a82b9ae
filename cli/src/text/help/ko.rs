//! Help in Korean, by the English that is written at the commands and arguments.

/// Below the top command's help.
pub(super) const AFTER_HELP: &str = "\
CHAT과 REQUEST에는 ID, ID의 앞부분(4자리 이상) 또는 이름을 씁니다. 하나에만 맞아야 합니다.
MESSAGE에는 ID나 그 앞부분을 씁니다. `read --ids` 명령이 보여 줍니다.

종료 코드:
  0  성공
  1  실패
  2  명령줄이 잘못됨
  3  데이터 디렉터리에 실행 중인 노드가 없음
  4  찾을 수 없거나, 이름 또는 앞부분이 여럿에 맞음
  5  노드가 거절함. 오류 코드가 함께 나옴
  6  데이터 디렉터리가 잠겼거나, 이 프로그램보다 새 버전이거나, 열 수 없음
  7  설정 파일이나 MADANG_… 변수의 값을 사용할 수 없음";

/// English and Korean.
pub(super) const HELP: &[(&str, &str)] = &[
    (
        "A peer-to-peer messenger: nobody in the middle",
        "가운데에 아무도 없는 P2P 메신저",
    ),
    (
        "Data directory [default: `madang` (relays: `madang-relay`) in the platform's data directory]",
        "데이터 디렉터리 [기본값: 플랫폼 데이터 디렉터리의 `madang`, 릴레이는 `madang-relay`]",
    ),
    (
        "Print JSON: one document, or one on each line where output goes on",
        "JSON으로 출력합니다. 문서 하나 또는, 출력이 이어지면 한 줄에 하나",
    ),
    (
        "Configuration file [default: `madang/config.toml` in the platform's configuration directory]",
        "설정 파일 [기본값: 플랫폼 설정 디렉터리의 `madang/config.toml`]",
    ),
    (
        "Language of what is printed for people: en or ko [default: the locale's]",
        "사람에게 보여 줄 언어: en 또는 ko [기본값: 로캘]",
    ),
    (
        "Whether to colour what is printed for people: auto, always or never [default: auto]",
        "색을 쓸지 여부: auto, always, never [기본값: auto]",
    ),
    (
        "Ask the node as the app whose token is the first line of this file, instead of as its owner",
        "소유자가 아니라, 이 파일 첫 줄의 토큰을 가진 앱으로서 노드에 요청합니다",
    ),
    (
        "Run a personal node until Ctrl-C; creates the account if the data directory is empty",
        "개인 노드를 Ctrl-C를 누를 때까지 실행합니다. 데이터 디렉터리가 비어 있으면 계정을 만듭니다",
    ),
    (
        "Where the JSON-RPC listens; port 0 takes a free one [default: 127.0.0.1:0]",
        "JSON-RPC 수신 주소. 포트 0은 빈 포트를 씁니다 [기본값: 127.0.0.1:0]",
    ),
    (
        "Multiaddr to listen on; can be repeated",
        "수신할 멀티주소. 여러 번 쓸 수 있습니다",
    ),
    (
        "Relay that holds messages for you, ending in `/p2p/…`; can be repeated",
        "메시지를 보관해 줄 릴레이. `/p2p/…`로 끝나며 여러 번 쓸 수 있습니다",
    ),
    (
        "Token that the relay's operator gave you, or KEY=TOKEN with the key after `/p2p/` if there are several relays; it is remembered",
        "릴레이 운영자에게 받은 토큰. 릴레이가 여럿이면 `/p2p/` 뒤의 키를 붙여 KEY=TOKEN. 기억해 둡니다",
    ),
    (
        "MiB that files may take, own and fetched ones [default: 8192]",
        "내 파일과 받은 파일이 차지해도 되는 MiB [기본값: 8192]",
    ),
    ("Name that contacts see", "연락처에게 보이는 이름"),
    (
        "File whose first line is the passphrase that seals the data directory",
        "첫 줄이 데이터 디렉터리를 잠그는 암호인 파일",
    ),
    (
        "Run a relay until Ctrl-C; prints the addresses that `madang up --relay` takes. See also `relay token`, `relay reports` and `relay doctor`",
        "릴레이를 Ctrl-C를 누를 때까지 실행하고 `madang up --relay`에 쓸 주소를 출력합니다. `relay token`, `relay reports`, `relay doctor`도 보세요",
    ),
    (
        "Whom the relay serves: `open` everybody, `token` who has one of `relay token new`, `list` the keys of --admission-list; others may only use topics that one of these uses",
        "릴레이를 쓸 수 있는 사람: `open` 누구나, `token` `relay token new`로 만든 토큰을 가진 사람, `list` --admission-list의 키. 다른 사람은 이들이 쓰는 토픽만 쓸 수 있습니다",
    ),
    (
        "With `--admission list`: a file of transport keys, one a line, in hex or as an address that ends in `/p2p/…`",
        "`--admission list`와 함께: 전송 키 파일. 한 줄에 하나, 16진수 또는 `/p2p/…`로 끝나는 주소",
    ),
    (
        "MiB that all messages and files together may take [default: 16384]",
        "모든 메시지와 파일의 한도(MiB) [기본값: 16384]",
    ),
    (
        "MiB that the messages of one topic may take [default: 64]",
        "토픽 하나의 메시지 한도(MiB) [기본값: 64]",
    ),
    (
        "MiB that the files of one topic may take [default: 4096]",
        "토픽 하나의 파일 한도(MiB) [기본값: 4096]",
    ),
    (
        "MiB that one peer may deposit in a day [default: 4096]",
        "피어 하나가 하루에 맡길 수 있는 양(MiB) [기본값: 4096]",
    ),
    (
        "Another relay, `/…/p2p/…`, with which to compare and copy what both keep; can be repeated",
        "서로 보관한 것을 비교하고 복사할 다른 릴레이(`/…/p2p/…`). 여러 번 쓸 수 있습니다",
    ),
    (
        "Where to serve metrics and health [default: nowhere]",
        "지표와 상태를 제공할 주소 [기본값: 없음]",
    ),
    (
        "Tokens for `--admission token`; a running relay notices changes within seconds",
        "`--admission token`에 쓰는 토큰. 실행 중인 릴레이도 몇 초 안에 알아차립니다",
    ),
    ("Make a token; it is shown once", "토큰을 만듭니다. 한 번만 표시됩니다"),
    ("A name to know it by", "알아보기 위한 이름"),
    ("List the tokens", "토큰 목록을 봅니다"),
    (
        "Revoke a token: who came with it is no longer admitted",
        "토큰을 거두어들입니다. 이 토큰으로는 더 들어올 수 없습니다",
    ),
    ("Its id, as `list` shows it", "`list`가 보여 주는 ID"),
    (
        "Look at the relay of the data directory: disk, clock, addresses, quotas, flushes; exit code 1 if a check failed",
        "데이터 디렉터리의 릴레이를 살펴봅니다: 디스크, 시계, 주소, 한도, 쓰기. 실패가 있으면 종료 코드 1",
    ),
    (
        "Where it serves metrics, `http://HOST:PORT` [default: as the running relay says]",
        "지표를 제공하는 곳, `http://HOST:PORT` [기본값: 실행 중인 릴레이가 알려 주는 곳]",
    ),
    (
        "Play the whole story on this machine: a relay, two people, an absence, a kill",
        "이 컴퓨터에서 전체 이야기를 재현합니다: 릴레이 하나, 두 사람, 자리 비움, 강제 종료",
    ),
    ("Show the account and the device", "계정과 기기를 봅니다"),
    (
        "Show the node: version, addresses, relays, how long it runs",
        "노드를 봅니다: 버전, 주소, 릴레이, 실행 시간",
    ),
    (
        "Show the 24 words from which the account can be restored",
        "계정을 복구할 수 있는 단어 24개를 봅니다",
    ),
    (
        "You wrote the words down: erase the root key from this device",
        "단어를 적어 두었음: 이 기기에서 루트 키를 삭제합니다",
    ),
    ("Make an invite to give to a person", "다른 사람에게 줄 초대를 만듭니다"),
    ("More than one person may use it", "여러 사람이 쓸 수 있습니다"),
    ("Seconds until it expires", "만료까지의 초"),
    (
        "Accept an invite: asks its maker for contact, or to be let into the group that it is for",
        "초대를 수락합니다. 만든 사람에게 연락처 또는 그룹 참여를 요청합니다",
    ),
    ("The invite, `madang:invite?…`", "초대(`madang:invite?…`)"),
    (
        "Ask as another account, made for this chat alone; the other learns nothing of yours. NAME is what it calls itself",
        "이 대화만을 위해 만든 다른 계정으로 요청합니다. 상대는 내 계정에 대해 아무것도 알지 못합니다. NAME은 그 계정이 내세울 이름입니다",
    ),
    (
        "List the people who ask for contact, or to be let into a group",
        "연락처나 그룹 참여를 요청한 사람의 목록을 봅니다",
    ),
    ("Approve a request", "요청을 승인합니다"),
    (
        "Its id, the beginning of it, or the asker's name",
        "ID, ID의 앞부분 또는 요청한 사람의 이름",
    ),
    (
        "Decline a request; whoever asked isn't told",
        "요청을 거절합니다. 요청한 사람에게는 알리지 않습니다",
    ),
    ("List contacts", "연락처 목록을 봅니다"),
    ("List chats", "대화 목록을 봅니다"),
    (
        "Show what is missing of a chat, and what is known of it",
        "대화에서 빠진 메시지와 그에 대해 아는 것을 봅니다",
    ),
    ("Id, beginning of an id, or name", "ID, ID의 앞부분 또는 이름"),
    (
        "Make a group of contacts, and change it",
        "연락처로 그룹을 만들고 바꿉니다",
    ),
    (
        "Keep a message in sight for all of its chat; in a group as an admin",
        "메시지를 대화의 모두가 볼 수 있게 고정합니다. 그룹에서는 관리자만 할 수 있습니다",
    ),
    (
        "Keep a message in sight no longer; in a group as an admin",
        "메시지 고정을 풉니다. 그룹에서는 관리자만 할 수 있습니다",
    ),
    (
        "Show the messages that are kept in sight in a chat",
        "대화에 고정된 메시지를 봅니다",
    ),
    (
        "Write a chat into a directory: `messages.json` for programs, `index.html` for people",
        "대화를 디렉터리에 씁니다. 프로그램용 `messages.json`과 사람용 `index.html`",
    ),
    (
        "The directory, which must not be there yet [default: `NAME-export`]",
        "디렉터리. 아직 없어야 합니다 [기본값: `이름-export`]",
    ),
    (
        "Keep an exported chat as an archive, to read and search in",
        "내보낸 대화를 읽고 찾을 수 있는 보관함으로 가져옵니다",
    ),
    (
        "What `export` wrote: the directory, or its `messages.json`",
        "`export`가 쓴 디렉터리 또는 그 안의 `messages.json`",
    ),
    ("Look at imported chats", "가져온 대화를 봅니다"),
    ("List what was imported", "가져온 것의 목록을 봅니다"),
    (
        "Show imported messages, the oldest first",
        "가져온 메시지를 오래된 것부터 봅니다",
    ),
    ("Only those that have these words", "이 낱말이 들어 있는 것만"),
    ("Remove imported messages", "가져온 메시지를 지웁니다"),
    (
        "Find messages by words, the newest last",
        "낱말로 메시지를 찾습니다. 최근 것이 맨 아래에 나옵니다",
    ),
    (
        "Words, all of which a message has; parts of Korean words are found, other words by how they begin",
        "찾을 낱말. 모두 들어 있는 메시지를 찾습니다. 한글은 낱말 속 글자로도, 다른 글자는 낱말의 앞부분으로 찾습니다",
    ),
    (
        "Only in this chat: its id, the beginning of it, or its name",
        "이 대화에서만: ID, ID의 앞부분 또는 이름",
    ),
    (
        "Only from this contact, by name or account; `me` is yourself",
        "이 연락처가 보낸 것만: 이름 또는 계정. `me`는 나",
    ),
    (
        "Only from this time on, as `2026-11-01` or `2026-11-01 18:30`, in UTC",
        "이때부터만. `2026-11-01` 또는 `2026-11-01 18:30`(UTC)",
    ),
    ("Only before this time", "이때보다 앞선 것만"),
    ("How many at most", "최대 개수"),
    (
        "Instead show those from this time on, as `2026-11-01` or `2026-11-01 18:30`, in UTC; none is marked read",
        "최근 것 대신 이때부터 봅니다. `2026-11-01` 또는 `2026-11-01 18:30`(UTC). 읽음으로 표시하지 않습니다",
    ),
    ("Print help", "도움말을 봅니다"),
    ("Print version", "버전을 봅니다"),
    (
        "Print this message or the help of the given subcommand(s)",
        "이 도움말이나 해당 명령의 도움말을 봅니다",
    ),
    ("Make a group of contacts", "연락처로 그룹을 만듭니다"),
    ("Its name", "이름"),
    ("Names or accounts of contacts", "연락처의 이름이나 계정"),
    (
        "Show a group: members, roles, and how its state is",
        "그룹을 봅니다: 구성원, 역할, 상태",
    ),
    (
        "Chat id, the beginning of it, or its name",
        "대화의 ID, ID의 앞부분 또는 이름",
    ),
    ("List who is in it, with their devices", "구성원과 기기 목록을 봅니다"),
    ("Add contacts", "연락처를 추가합니다"),
    ("Remove members", "구성원을 내보냅니다"),
    ("Names or accounts of members", "구성원의 이름이나 계정"),
    (
        "Make a link by which others ask to be let in, as an admin",
        "다른 사람이 참여를 요청할 링크를 만듭니다(관리자)",
    ),
    (
        "Let them in at once; otherwise each waits in `madang requests`",
        "바로 들여보냅니다. 그렇지 않으면 `madang requests`에서 기다립니다",
    ),
    ("How many it lets in", "들여보낼 사람 수"),
    ("List your open links of a group", "열려 있는 그룹 링크 목록을 봅니다"),
    (
        "Take a link back: it lets nobody in any more",
        "링크를 거두어들입니다. 아무도 들어올 수 없게 됩니다",
    ),
    ("The link, `madang:invite?…`", "링크(`madang:invite?…`)"),
    (
        "Leave it: the others are asked to remove this account",
        "나갑니다. 다른 구성원에게 이 계정을 내보내 달라고 요청합니다",
    ),
    ("Give it another name", "이름을 바꿉니다"),
    ("The new name", "새 이름"),
    ("Give it another picture, or none", "사진을 바꾸거나 없앱니다"),
    (
        "File that holds the picture, at most 8,192 bytes",
        "사진 파일. 최대 8,192바이트",
    ),
    ("Take the picture away", "사진을 없앱니다"),
    ("Let messages disappear", "메시지가 사라지게 합니다"),
    (
        "After so many seconds; 0 for never",
        "사라질 때까지의 초. 0은 사라지지 않음",
    ),
    ("Change a member's role", "구성원의 역할을 바꿉니다"),
    ("Name or account of the member", "구성원의 이름이나 계정"),
    (
        "The new role; making an owner gives your own place away",
        "새 역할. 소유자로 만들면 자신의 자리를 넘겨줍니다",
    ),
    (
        "Apps and their tokens: who asks, what they may do, how it ends",
        "앱과 토큰: 누가 요청하고, 무엇을 할 수 있고, 어떻게 끝나는지",
    ),
    (
        "List apps, and those that ask to be let in",
        "앱과, 승인을 요청한 앱의 목록을 봅니다",
    ),
    ("Let an app in that asks", "요청한 앱을 승인합니다"),
    ("Its id, the beginning of it, or its name", "ID, ID의 앞부분 또는 이름"),
    (
        "Allow only this of what it asks for; can be repeated",
        "요청한 것 중 이것만 허용합니다. 여러 번 쓸 수 있습니다",
    ),
    ("Seconds until its token ends", "토큰이 끝날 때까지의 초"),
    (
        "End an app's token and those that it made, or turn away an app that asks",
        "앱의 토큰과 그 앱이 만든 토큰을 끝내거나, 요청한 앱을 물리칩니다",
    ),
    (
        "Make a token for a program of yours; it is shown once",
        "자기 프로그램에 쓸 토큰을 만듭니다. 한 번만 표시됩니다",
    ),
    ("What it is called", "이름"),
    (
        "What it may do, as `chat:read`, `chat:ID:send` or `method:message.list`; can be repeated",
        "할 수 있는 일. `chat:read`, `chat:ID:send`, `method:message.list` 등. 여러 번 쓸 수 있습니다",
    ),
    ("Seconds until it ends", "끝날 때까지의 초"),
    (
        "Where the JSON-RPC listens for TLS as well, for use from other machines",
        "다른 기기에서 쓰도록 JSON-RPC가 TLS로도 받을 주소",
    ),
    ("File with its certificate chain, in PEM", "인증서 체인이 든 PEM 파일"),
    (
        "File with the certificate's private key, in PEM",
        "인증서의 개인 키가 든 PEM 파일",
    ),
    (
        "Name under which other machines reach the JSON-RPC; can be repeated",
        "다른 기기가 JSON-RPC에 접속할 때 쓰는 이름. 여러 번 쓸 수 있습니다",
    ),
    ("Have events posted to a URL", "이벤트를 URL로 보내게 합니다"),
    (
        "List webhooks, and how posting to them goes",
        "웹훅과 전송 상태를 봅니다",
    ),
    (
        "Have events posted; prints the secret that posts are signed with, once",
        "이벤트를 보내게 합니다. 서명에 쓰는 비밀값을 한 번 출력합니다",
    ),
    (
        "`https://…`, or `http://` to this machine",
        "`https://…`, 또는 이 기기로 가는 `http://`",
    ),
    (
        "App whose token says which events: its id, the beginning of it, or its name [default: you, so all events]",
        "어떤 이벤트를 보낼지 정하는 토큰의 앱: ID, 그 앞부분 또는 이름 [기본값: 나, 곧 모든 이벤트]",
    ),
    (
        "Begin behind this cursor; `0` is the start [default: now, or where the webhook was that this one replaces]",
        "이 커서 다음부터. `0`은 처음 [기본값: 지금, 또는 대신하는 웹훅이 있던 곳]",
    ),
    ("End a webhook", "웹훅을 끝냅니다"),
    ("App whose webhook it is [default: yours]", "웹훅의 앱 [기본값: 내 것]"),
    (
        "Ask to be let in, as an app does; the token is shown once and works when the user has approved",
        "앱으로서 승인을 요청합니다. 토큰은 한 번만 표시되며 사용자가 승인하면 통합니다",
    ),
    ("What the app calls itself", "앱의 이름"),
    (
        "What it wants to be allowed, as `chat:read`; can be repeated",
        "허용받고 싶은 일. `chat:read` 등. 여러 번 쓸 수 있습니다",
    ),
    (
        "The page that it is, as `https://shop.example`",
        "앱인 페이지. `https://shop.example` 등",
    ),
    (
        "File that holds a small picture, at most 8,192 bytes",
        "작은 사진 파일. 최대 8,192바이트",
    ),
    (
        "Show the app whose token `--token-file` names, and what it may do",
        "`--token-file`의 토큰을 가진 앱과 할 수 있는 일을 봅니다",
    ),
    ("Send a text, files, or both", "글이나 파일을 보냅니다"),
    (
        "A file to send; can be repeated. Images and voice notes are told by their ending",
        "보낼 파일. 여러 번 쓸 수 있습니다. 사진과 음성 메시지는 확장자로 알아봅니다",
    ),
    (
        "Send images and sounds as plain files, as they are",
        "사진과 소리를 손대지 않고 그냥 파일로 보냅니다",
    ),
    (
        "Send where and when images were taken as well, which is removed otherwise",
        "사진을 찍은 곳과 때도 보냅니다. 쓰지 않으면 지우고 보냅니다",
    ),
    (
        "Fetch the files of a message and save them; nothing is overwritten",
        "메시지의 파일을 받아 저장합니다. 있는 파일은 덮어쓰지 않습니다",
    ),
    (
        "Directory, or path of the new file [default: the current directory, under the sender's name made harmless]",
        "폴더, 또는 새 파일의 경로 [기본값: 현재 폴더, 보낸 이름을 안전하게 고친 이름]",
    ),
    ("The text", "글"),
    (
        "Message of the chat that it answers: its id or the beginning of it",
        "답장할 메시지: ID 또는 ID의 앞부분",
    ),
    (
        "Member of the chat whom the text names as `@WHO`, by name or account; can be repeated",
        "글에서 `@WHO`로 언급하는 구성원의 이름이나 계정. 여러 번 쓸 수 있습니다",
    ),
    (
        "Making it again with the same key makes no other",
        "같은 키로 다시 만들면 새로 만들지 않습니다",
    ),
    (
        "Sending again with the same key sends nothing new",
        "같은 키로 다시 보내면 새로 보내지 않습니다",
    ),
    (
        "Send a question with options to choose from",
        "선택지가 있는 질문(투표)을 보냅니다",
    ),
    ("The question", "질문"),
    ("What can be chosen, at least two", "선택지. 두 개 이상"),
    ("One may choose several", "여러 개를 고를 수 있습니다"),
    ("Answer a poll", "투표합니다"),
    (
        "The poll's message: its id or the beginning of it",
        "투표 메시지: ID 또는 ID의 앞부분",
    ),
    (
        "Numbers of the chosen options, from 1; without any the vote is taken back",
        "고른 선택지의 번호(1부터). 없으면 투표를 거둡니다",
    ),
    ("Change the text of a message of yours", "자기 메시지의 글을 바꿉니다"),
    (
        "The message: its id or the beginning of it",
        "메시지: ID 또는 ID의 앞부분",
    ),
    ("What it says from now on", "새 글"),
    ("Take back a message of yours", "자기 메시지를 거두어들입니다"),
    ("Leave an emoji at a message", "메시지에 이모지를 남깁니다"),
    ("The emoji", "이모지"),
    ("Take it back", "거두어들입니다"),
    (
        "Tell the members who are connected that you type",
        "연결된 구성원에게 입력 중임을 알립니다",
    ),
    ("You have stopped", "입력을 멈추었음"),
    (
        "Show a chat's newest messages and mark them read",
        "대화의 최근 메시지를 보고 읽음으로 표시합니다",
    ),
    (
        "How many at most [default: all unread ones, at least 20]",
        "최대 개수 [기본값: 안 읽은 것 모두, 적어도 20]",
    ),
    ("Don't mark them read", "읽음으로 표시하지 않습니다"),
    (
        "Show the beginning of each message's id",
        "각 메시지 ID의 앞부분을 보여 줍니다",
    ),
    (
        "Show one message: what it says, and who has it",
        "메시지 하나를 봅니다: 내용과, 누가 가지고 있는지",
    ),
    (
        "Mark messages of a chat read without showing them",
        "보여 주지 않고 대화의 메시지를 읽음으로 표시합니다",
    ),
    (
        "Up to this message: its id or the beginning of it [default: the newest]",
        "이 메시지까지: ID 또는 ID의 앞부분 [기본값: 가장 최근]",
    ),
    (
        "Show events as they happen, until Ctrl-C",
        "이벤트를 일어나는 대로 Ctrl-C를 누를 때까지 보여 줍니다",
    ),
    (
        "Begin behind this cursor; `0` is the start, `ack` what was acknowledged last [default: now; `ack` with --ack, `0` with --no-follow]",
        "이 커서 다음부터. `0`은 처음, `ack`은 마지막 확인 응답 [기본값: 지금. --ack이면 `ack`, --no-follow이면 `0`]",
    ),
    (
        "The epoch that came with that cursor, by which a log that goes on from an older copy is noticed",
        "커서와 함께 온 에포크. 로그가 오래된 사본에서 이어지는 것을 알아차리는 데 씁니다",
    ),
    ("Acknowledge what was printed", "출력한 것을 확인 응답합니다"),
    (
        "Only events of this kind, as `message.received`; can be repeated",
        "이 종류의 이벤트만. `message.received` 등. 여러 번 쓸 수 있습니다",
    ),
    (
        "Only events of this chat, and those of none; can be repeated",
        "이 대화의 이벤트와, 대화에 속하지 않는 이벤트만. 여러 번 쓸 수 있습니다",
    ),
    ("Print what is there and end", "지금 있는 것만 출력하고 끝냅니다"),
    (
        "Acknowledge events, so that `events --after ack` goes on behind them",
        "이벤트를 확인 응답합니다. `events --after ack`이 그다음부터 이어집니다",
    ),
    (
        "The cursor of the last event that was dealt with",
        "마지막으로 처리한 이벤트의 커서",
    ),
    (
        "Call any method of the node's JSON-RPC and print its result",
        "노드 JSON-RPC의 아무 메서드나 호출하고 결과를 출력합니다",
    ),
    (
        "The method, as `chat.list`; docs/methods.md lists them",
        "메서드. `chat.list` 등. 목록은 docs/methods.md에 있습니다",
    ),
    (
        "Its parameters, a JSON object; `-` reads it from standard input [default: {}]",
        "매개변수(JSON 객체). `-`이면 표준 입력에서 읽습니다 [기본값: {}]",
    ),
    (
        "Instead bridge the JSON-RPC to standard input and output, a message on each line, until standard input ends",
        "호출하는 대신 JSON-RPC를 표준 입출력에 한 줄에 메시지 하나씩 이어 줍니다. 표준 입력이 끝날 때까지",
    ),
    (
        "Show what was kept as proof of what relays did against their word",
        "릴레이가 약속을 어긴 증거로 보관한 것을 봅니다",
    ),
    (
        "About this relay only: its public key in hex",
        "이 릴레이만: 공개 키(16진수)",
    ),
    (
        "Check the node and say which path each chat takes",
        "노드를 점검하고 각 대화가 지나는 경로를 알려 줍니다",
    ),
    (
        "Look at settings and change them in the configuration file",
        "설정을 보고 설정 파일에서 바꿉니다",
    ),
    (
        "List all settings, their values, and where each comes from",
        "모든 설정과 값, 값의 출처를 봅니다",
    ),
    ("Show the value of a setting", "설정 하나의 값을 봅니다"),
    (
        "The setting, as `config list` names it",
        "`config list`에 나오는 설정 이름",
    ),
    ("Write a setting into the file", "설정을 파일에 씁니다"),
    ("Its value; several where it is a list", "값. 목록이면 여러 개"),
    ("Remove a setting from the file", "설정을 파일에서 지웁니다"),
    ("Show where the file is", "파일의 위치를 봅니다"),
    (
        "Print the completions for a shell",
        "셸 자동 완성 스크립트를 출력합니다",
    ),
    ("The shell", "셸"),
    (
        "Write the man pages of all commands into a directory",
        "모든 명령의 man 페이지를 디렉터리에 씁니다",
    ),
    ("The directory; made if it is absent", "디렉터리. 없으면 만듭니다"),
    (
        "Say what you want of a channel and when, or show it; only your node knows",
        "채널에서 무엇을 언제 받을지 정하거나 봅니다. 내 노드만 압니다",
    ),
    ("Want everything, at once", "모두 바로 받습니다"),
    (
        "Only posts of this category; may be given again",
        "이 분류의 글만. 여러 번 쓸 수 있습니다",
    ),
    ("No advertising", "광고는 받지 않습니다"),
    (
        "Nothing in these hours: 22:00-07:00, or sat,sun@22:00-10:00; may be given again",
        "이 시간에는 받지 않습니다: 22:00-07:00 또는 sat,sun@22:00-10:00. 여러 번 쓸 수 있습니다",
    ),
    (
        "Only in these hours: 09:00-18:00, or mon,fri@09:00-12:00; may be given again",
        "이 시간에만 받습니다: 09:00-18:00 또는 mon,fri@09:00-12:00. 여러 번 쓸 수 있습니다",
    ),
    (
        "At most so many posts a day; 0 for a digest that you open yourself",
        "하루에 이만큼만. 0이면 직접 열어 볼 때만",
    ),
    (
        "A place that matters: latitude, longitude and kilometres around it, as 37.5665,126.978,10; may be given again",
        "관심 있는 곳: 위도, 경도, 반경(km). 예: 37.5665,126.978,10. 여러 번 쓸 수 있습니다",
    ),
    (
        "What the channel calls urgent comes at any hour",
        "채널이 급하다고 한 글은 언제든 받습니다",
    ),
    (
        "Time zone of the hours, as Asia/Seoul [default: that of the node's machine]",
        "시간대. 예: Asia/Seoul [기본값: 노드 기기의 시간대]",
    ),
    (
        "Show the posts that were held back, and hold them back no longer",
        "보류된 글을 보고 보류를 풉니다",
    ),
    (
        "Answer a poll of a channel; only the channel can read the answer, and learns nothing of who gave it",
        "채널의 투표에 답합니다. 답은 채널만 읽을 수 있고, 누가 답했는지는 알 수 없습니다",
    ),
    (
        "Numbers of the chosen options, from 1; without any the answer is taken back",
        "고른 선택지의 번호(1부터). 없으면 답을 거둡니다",
    ),
    (
        "Report a post to the operators of the channel's relays; they see nothing of who you are but the connection",
        "글을 채널 릴레이의 운영자에게 신고합니다. 운영자는 연결 외에 누구인지 알 수 없습니다",
    ),
    (
        "Why: spam, fraud, hate, violence, sexual, children, impersonation, rights or other",
        "이유: spam, fraud, hate, violence, sexual, children, impersonation, rights, other",
    ),
    ("What you want to say about it to the operators", "운영자에게 덧붙일 말"),
    ("Block the channel too", "채널도 차단합니다"),
    ("What was reported of channels' posts", "채널 글에 대한 신고"),
    (
        "List posts that were reported, what most reported first",
        "신고된 글을 많이 신고된 순서로 보여 줍니다",
    ),
    ("Show what was reported of a post", "한 글에 대한 신고를 보여 줍니다"),
    (
        "The post's id, or the beginning of it, as `list` shows it",
        "글 id 또는 그 앞부분. `list`에서 볼 수 있습니다",
    ),
    (
        "Write its signed envelopes into this folder, for `madang channel verify`",
        "서명된 봉투를 이 폴더에 저장합니다. `madang channel verify`로 확인할 수 있습니다",
    ),
    (
        "Dismiss what was reported of a post; who reports it again is listened to",
        "글에 대한 신고를 치웁니다. 다시 신고하면 다시 받습니다",
    ),
    (
        "Show figures of a channel of yours that name nobody: who watches it at its relays, to how many these have handed a post, polls",
        "내 채널의 수치를 아무도 드러나지 않게 보여 줍니다. 릴레이에서 지켜보는 수, 글이 전달된 수, 투표 현황",
    ),
    (
        "Tell followers what a poll of yours has come to so far",
        "지금까지의 투표 결과를 팔로워에게 알립니다",
    ),
    (
        "Write to whoever has a channel, one to one and end-to-end encrypted",
        "채널 주인에게 종단 간 암호화된 일대일 메시지를 보냅니다",
    ),
    ("What to say", "보낼 말"),
    (
        "Who may write on a channel beside its root",
        "채널 주인 말고 누가 쓸 수 있는지 다룹니다",
    ),
    (
        "Make a key that takes a channel of yours back, to be kept apart",
        "내 채널을 되찾을 복구 키를 만듭니다. 따로 보관하세요",
    ),
    (
        "Take a channel back with its recovery key",
        "복구 키로 채널을 되찾습니다",
    ),
    ("The key, `madang:recovery?…`", "복구 키, `madang:recovery?…`"),
    (
        "Print the file by which the domain of a channel of yours vouches for it",
        "내 채널의 도메인이 채널을 보증할 파일을 출력합니다",
    ),
    (
        "Ask the domain that a channel names whether it vouches for it; the domain sees your address",
        "채널이 밝힌 도메인에 보증하는지 물어봅니다. 도메인은 내 주소를 보게 됩니다",
    ),
    (
        "Print your key to write on a channel with, for its root to certify",
        "채널에 쓸 내 키를 출력합니다. 채널 주인이 인증합니다",
    ),
    (
        "Let a key write on a channel of yours, and print its certificate",
        "키가 내 채널에 쓸 수 있게 하고 인증서를 출력합니다",
    ),
    (
        "The key, as its holder's `channel writer key` prints it",
        "키. 가진 사람의 `channel writer key`가 출력합니다",
    ),
    ("What for; can be repeated", "할 수 있는 일. 여러 번 쓸 수 있습니다"),
    (
        "Only in this category; can be repeated",
        "이 분류에만. 여러 번 쓸 수 있습니다",
    ),
    ("For so many days", "이 날수 동안"),
    (
        "Use a certificate that a channel's root gave you",
        "채널 주인에게서 받은 인증서를 씁니다",
    ),
    ("The certificate, `madang:writer?…`", "인증서, `madang:writer?…`"),
    (
        "List who may write on a channel of yours",
        "내 채널에 쓸 수 있는 사람을 봅니다",
    ),
    (
        "Let a key write no longer on a channel of yours",
        "키가 내 채널에 더는 쓸 수 없게 합니다",
    ),
    (
        "The key, which `channel writer list` shows",
        "키. `channel writer list`로 볼 수 있습니다",
    ),
    (
        "Channels of brands: follow them, or publish one",
        "브랜드 채널: 팔로우하거나 직접 엽니다",
    ),
    (
        "Make a channel, kept at your relays, and print its link",
        "내 릴레이에 두는 채널을 만들고 링크를 출력합니다",
    ),
    ("What it calls itself", "채널 이름"),
    ("Description for people", "사람이 읽을 설명"),
    (
        "Category that posts can be of; can be repeated",
        "글의 분류. 여러 번 쓸 수 있습니다",
    ),
    (
        "Address to show; can be repeated",
        "보여 줄 주소. 여러 번 쓸 수 있습니다",
    ),
    ("Domain that it belongs to", "소속 도메인"),
    (
        "Posts a day that it promises at most; 0 for no promise",
        "약속하는 하루 최대 글 수. 0이면 약속 없음",
    ),
    ("What its advertising is labelled with", "광고에 붙일 표시"),
    ("Invite link by which followers write back", "팔로워가 답장할 초대 링크"),
    (
        "Change what a channel of yours says of itself",
        "내 채널의 소개를 바꿉니다",
    ),
    (
        "Channel id, the beginning of it, or its name",
        "채널 ID, ID의 앞부분 또는 이름",
    ),
    ("Its new name", "새 이름"),
    (
        "List the channels that you follow, have or blocked",
        "팔로우하거나 내가 만들었거나 차단한 채널 목록을 봅니다",
    ),
    (
        "Show a channel: what it says of itself, and what is missing of it",
        "채널 소개와 빠진 것을 봅니다",
    ),
    (
        "Print the link by which others follow a channel",
        "다른 사람이 채널을 팔로우할 링크를 출력합니다",
    ),
    ("Draw it as a QR code too", "QR 코드로도 그립니다"),
    (
        "Put a channel of yours into the public directories of its relays, where anybody finds it",
        "내 채널을 릴레이의 공개 디렉터리에 올립니다. 누구나 거기서 찾을 수 있습니다",
    ),
    (
        "Only at this relay, by its key in hex; can be repeated",
        "이 릴레이에만(16진수 키). 여러 번 쓸 수 있습니다",
    ),
    ("Take it out of all", "모든 디렉터리에서 내립니다"),
    (
        "Look for channels in the public directories of relays; a relay sees what you look for",
        "릴레이의 공개 디렉터리에서 채널을 찾습니다. 무엇을 찾는지 릴레이가 봅니다",
    ),
    (
        "Words, all of which name or description have [default: all channels]",
        "이름이나 소개에 모두 들어 있어야 하는 낱말 [기본값: 모든 채널]",
    ),
    ("Only of this category", "이 분류만"),
    ("Only at this relay, by its key in hex", "이 릴레이에서만(16진수 키)"),
    (
        "Keep no public directory: no channel can be found at this relay",
        "공개 디렉터리를 두지 않습니다. 이 릴레이에서는 채널을 찾을 수 없습니다",
    ),
    ("Follow a channel", "채널을 팔로우합니다"),
    (
        "Its link, `madang:channel?…`, or the message that brought it",
        "채널 링크(`madang:channel?…`), 또는 채널을 알려 준 메시지",
    ),
    (
        "List the relays that keep a channel",
        "채널을 보관하는 릴레이를 나열합니다",
    ),
    ("Where a channel is kept", "채널이 보관되는 곳"),
    (
        "Picture of the card: JPEG, PNG, WebP or GIF",
        "카드의 사진: JPEG, PNG, WebP, GIF",
    ),
    (
        "Keep a channel of yours at further relays, which are handed its newest posts",
        "내 채널을 다른 릴레이에도 보관합니다. 새 릴레이는 최근 글을 넘겨받습니다",
    ),
    (
        "Multiaddr ending in /p2p/…, which the relay prints",
        "/p2p/…로 끝나는 주소. 릴레이가 출력합니다",
    ),
    (
        "Keep a channel of yours at a relay no longer; who follows goes on at the others",
        "내 채널을 이 릴레이에 더는 보관하지 않습니다. 팔로워는 다른 릴레이에서 이어 받습니다",
    ),
    (
        "The relay's key in hex, which `channel relays list` shows, or the beginning of it",
        "릴레이의 16진수 키(`channel relays list`에 나옵니다), 또는 그 앞부분",
    ),
    (
        "Only show it as a follower would see it; nothing is posted",
        "팔로워에게 보일 모습만 보여 줍니다. 아무것도 올리지 않습니다",
    ),
    (
        "Pass a channel on into chats: whoever is there can follow it in one step",
        "채널을 대화방에 알립니다. 받은 사람은 한 번에 팔로우할 수 있습니다",
    ),
    (
        "Into this chat; may be given several times",
        "이 대화방에. 여러 번 쓸 수 있습니다",
    ),
    ("By whom its posts come", "글을 누구를 통해 받을지"),
    (
        "Say by whom a channel's posts come: by its relays, or by followers too",
        "채널의 글을 누구를 통해 받을지 정합니다: 릴레이로만, 또는 팔로워를 통해서도",
    ),
    (
        "With followers this node passes on what it hears, and others learn that it follows",
        "followers이면 이 노드가 들은 것을 전달하고, 내가 팔로우하는 것을 다른 사람이 알게 됩니다",
    ),
    (
        "Follow a channel no longer, and forget what is here of it",
        "팔로우를 그만두고 여기 있는 내용을 지웁니다",
    ),
    (
        "Be told of a channel's new posts no longer",
        "채널의 새 글 알림을 끕니다",
    ),
    ("Be told again", "알림을 다시 켭니다"),
    ("Have nothing to do with a channel any more", "채널을 차단합니다"),
    ("Allow it again", "차단을 풉니다"),
    (
        "Post on a channel of yours: a text, files, a card",
        "내 채널에 글을 올립니다: 텍스트, 파일, 카드",
    ),
    (
        "A file to show; can be repeated",
        "보여 줄 파일. 여러 번 쓸 수 있습니다",
    ),
    ("Show a card with this title", "이 제목의 카드를 보여 줍니다"),
    (
        "Button of the card; can be repeated",
        "카드의 버튼. 여러 번 쓸 수 있습니다",
    ),
    (
        "The whole body as JSON, as `channel.post` takes it: carousels, events, polls, coupons",
        "`channel.post`가 받는 본문 전체를 JSON으로: 캐러셀, 행사, 투표, 쿠폰",
    ),
    (
        "Category that it is of; can be repeated",
        "글의 분류. 여러 번 쓸 수 있습니다 (ID)",
    ),
    ("It is advertising", "광고입니다"),
    ("It is urgent", "급한 글입니다"),
    (
        "Publish it at this time, as `2026-11-01 18:30`, in UTC",
        "이 시각(UTC)에 올립니다. 예: `2026-11-01 18:30`",
    ),
    (
        "Posting again with the same key posts nothing new",
        "같은 키로 다시 올려도 새로 올라가지 않습니다",
    ),
    (
        "List posts of a channel of yours that are to be published later",
        "내 채널의 예약된 글 목록을 봅니다",
    ),
    ("Drop a post that is to be published later", "예약된 글을 취소합니다"),
    (
        "Its id, or the beginning of it, which `channel plans` shows",
        "글 ID 또는 그 앞부분. `channel plans`가 보여 줍니다",
    ),
    ("Give a post another text", "글의 내용을 바꿉니다"),
    (
        "The post's id, or the beginning of it, which `channel read --ids` shows",
        "글 ID 또는 그 앞부분. `channel read --ids`가 보여 줍니다",
    ),
    ("Take a post back", "글을 거두어들입니다"),
    ("Why, for people", "사람이 읽을 이유"),
    (
        "Show a channel's newest posts and mark them seen",
        "채널의 새 글을 보고 읽음으로 표시합니다",
    ),
    ("Don't mark them seen", "읽음으로 표시하지 않습니다"),
    (
        "Show the beginning of each post's id",
        "글마다 ID의 앞부분을 보여 줍니다",
    ),
    (
        "Write the event of a post as a calendar file (iCalendar); nothing is overwritten",
        "글의 행사를 캘린더 파일(iCalendar)로 씁니다. 아무것도 덮어쓰지 않습니다",
    ),
    (
        "Path of the new file, such as `reading.ics`",
        "새 파일의 경로. 예: `reading.ics`",
    ),
    (
        "Fetch the files of a post and save them; nothing is overwritten",
        "글의 파일을 받아 저장합니다. 아무것도 덮어쓰지 않습니다",
    ),
    (
        "Show what was kept as proof that a channel contradicts itself",
        "채널이 스스로 어긋난다는 증거를 봅니다",
    ),
    (
        "Write each piece to a file of this directory, for `channel verify` anywhere",
        "어디서나 `channel verify`로 확인할 수 있게 증거를 이 디렉터리의 파일로 씁니다",
    ),
    (
        "Check evidence against a channel, whoever gave it",
        "누가 주었든 채널에 대한 증거를 확인합니다",
    ),
    (
        "The file that `channel evidence --to` wrote",
        "`channel evidence --to`가 쓴 파일",
    ),
    (
        "Make an app of yours whose shares are signed: a directory with its key and a manifest to edit",
        "공유에 서명하는 앱을 만듭니다. 키와 고쳐 쓸 매니페스트가 든 디렉터리입니다",
    ),
    ("The directory", "디렉터리"),
    (
        "Print what a domain publishes so that the app is shown as its own",
        "앱이 도메인 소속으로 보이도록 도메인에 올릴 내용을 출력합니다",
    ),
    (
        "The app's directory, which `app new` made",
        "`app new`로 만든 앱의 디렉터리",
    ),
    (
        "The domain, which the manifest names",
        "도메인. 매니페스트에 적혀 있어야 합니다",
    ),
    (
        "Check a share, and say which member is wrong",
        "공유를 확인하고, 잘못된 항목을 알려 줍니다",
    ),
    (
        "The share; `-` reads standard input",
        "공유. `-`는 표준 입력을 읽습니다",
    ),
    (
        "Show the card as who receives it sees it",
        "받는 사람에게 보이는 대로 카드를 보여 줍니다",
    ),
    (
        "Print HTML without scripts instead of text",
        "글 대신 스크립트 없는 HTML을 출력합니다",
    ),
    ("Sign a share as an app", "앱으로 공유에 서명합니다"),
    (
        "Seconds until it ends, at most a year [default: as the share says, or 30 days]",
        "끝날 때까지의 초, 최대 1년 [기본값: 공유에 적힌 대로, 없으면 30일]",
    ),
    (
        "Two shares with one key are one [default: as the share says, or made of what it says]",
        "키가 같은 두 공유는 하나입니다 [기본값: 공유에 적힌 대로, 없으면 내용으로 만듦]",
    ),
    (
        "Print the link that holds it instead of JSON",
        "JSON 대신, 공유를 담은 링크를 출력합니다",
    ),
    (
        "Check the signatures, and say which app signed",
        "서명을 검증하고, 서명한 앱을 알려 줍니다",
    ),
    (
        "Make a share of a default template of KakaoTalk Share",
        "카카오톡 공유의 기본 템플릿으로 공유를 만듭니다",
    ),
    (
        "The template as JSON; `-` reads standard input",
        "JSON 템플릿. `-`는 표준 입력을 읽습니다",
    ),
    (
        "The page that says the same, where the template links to none",
        "같은 내용의 페이지. 템플릿에 링크가 없을 때 씁니다",
    ),
    (
        "Cards of apps and pages: made and checked without a node, sent with one",
        "앱과 페이지의 카드: 만들고 검사하는 데는 노드가 없어도 되고, 보내는 데는 있어야 합니다",
    ),
    (
        "Print an address that lets a browser of this machine in, so that pages and apps can offer cards there",
        "이 컴퓨터의 브라우저를 연결하는 주소를 출력합니다. 그 브라우저에서 페이지와 앱이 카드를 내밀 수 있습니다",
    ),
    ("Send a card to chats", "카드를 대화에 보냅니다"),
    (
        "Send on the card of this message instead: its id or the beginning of it",
        "파일 대신 이 메시지의 카드를 보냅니다. 메시지의 ID나 그 앞부분",
    ),
    (
        "Chat to send it to, at most ten; can be repeated",
        "보낼 대화. 열 개까지, 여러 번 쓸 수 있습니다",
    ),
    (
        "Key under which the same card is sent only once [default: a new one each time]",
        "같은 카드를 한 번만 보내게 하는 키 [기본값: 매번 새 키]",
    ),
    (
        "Offer a card as an app does, and wait until the user has chosen in the picker",
        "앱처럼 카드를 내밀고, 사용자가 고를 때까지 기다립니다",
    ),
    ("List cards that wait for you", "기다리는 카드를 보여 줍니다"),
    ("Send a card that waits", "기다리는 카드를 보냅니다"),
    ("Its id, or the beginning of it", "ID 또는 ID의 앞부분"),
    (
        "Open a card that came: hand it to its app at this node, or say where it leads",
        "온 카드를 엽니다. 이 노드에 있는 앱에 넘기거나, 어디로 이어지는지 알려 줍니다",
    ),
    (
        "Button to press, counted from 1; without it the card itself",
        "누를 버튼. 1부터 셉니다. 없으면 카드 자체를 엽니다",
    ),
    ("Let who shared it know", "보낸 쪽에 열었다고 알립니다"),
    (
        "Ask the domains that the app of a card names whether they vouch for it; they see your address",
        "카드의 앱이 밝힌 도메인들에 그 앱을 보증하는지 묻습니다. 도메인에 내 주소가 보입니다",
    ),
    (
        "Hand back what a button of a card says to the app that shared it",
        "카드의 버튼에 적힌 값을 카드를 보낸 앱에 돌려줍니다",
    ),
    ("Button to press, counted from 1", "누를 버튼. 1부터 셉니다"),
    (
        "Print a card of what a page says of itself, for `share pick -` or `share send -`; the page sees your address",
        "페이지가 스스로 밝힌 내용으로 카드를 만들어 `share pick -`이나 `share send -`에 쓰도록 출력합니다. 페이지에 내 주소가 보입니다",
    ),
    ("The page, `https://…`", "페이지, `https://…`"),
    (
        "List answers of apps that wait for you",
        "확인을 기다리는 앱의 답을 보여 줍니다",
    ),
    ("Send an answer that waits", "기다리는 답을 보냅니다"),
    ("Drop an answer that waits", "기다리는 답을 물리칩니다"),
    ("Drop a card that waits", "기다리는 카드를 물리칩니다"),
];
