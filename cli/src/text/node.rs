//! What the node says in words of its own, in Korean. Its sentences are found by their English; one that isn't known is shown as it is.

use serde_json::Value;

/// Words and sentences of the node. `{}` stands for what differs, in the same order in both, and may be a sentence itself.
const SAID: &[(&str, &str)] = &[
    // States.
    ("requested", "승인 대기"),
    ("active", "활성"),
    ("expired", "만료"),
    ("unsigned", "서명한 앱이 없음"),
    ("left", "나감"),
    ("owner", "소유자"),
    ("admin", "관리자"),
    ("member", "구성원"),
    ("queued", "대기 중"),
    ("held", "릴레이 보관 중"),
    ("delivered", "전달됨"),
    ("read", "읽음"),
    // Kinds of files.
    ("file", "파일"),
    ("image", "사진"),
    ("voice", "음성 메시지"),
    ("album", "앨범"),
    ("open", "찾는 중"),
    ("filled", "채워짐"),
    ("lost", "작성자가 포기함"),
    ("void", "빠진 것 없음"),
    ("forked", "서로 다른 메시지"),
    ("trusted", "신뢰함"),
    ("demoted", "신뢰하지 않음"),
    ("sent", "보냄"),
    ("cancelled", "보내지 않음"),
    ("waiting", "기다리는 중"),
    ("forgot", "저장 상태를 되돌림"),
    ("denied", "보관하기로 서명한 것이 없음"),
    ("junk", "올바르지 않은 것을 보냄"),
    ("endless", "끝없이 보냄"),
    ("unserved", "있다고 한 것을 내주지 않음"),
    ("failing", "실패 중"),
    ("disabled", "꺼짐"),
    ("ended", "끝남"),
    ("it doesn't answer in time", "제때 응답하지 않습니다"),
    ("it answers {}", "응답: {}"),
    ("it leads on and on", "끝없이 다른 주소로 넘깁니다"),
    ("it leads to no address", "주소가 아닌 곳으로 넘깁니다"),
    (
        "its name leads into a private network",
        "이름이 사설 네트워크를 가리킵니다",
    ),
    ("what it publishes can't be read", "올려 둔 내용을 읽을 수 없습니다"),
    ("it can't be reached: {}", "연결할 수 없습니다: {}"),
    (
        "its name leads into a private network, where only the owner's webhooks may lead",
        "이름이 사설 네트워크를 가리킵니다. 사설 네트워크로는 소유자의 웹훅만 보낼 수 있습니다",
    ),
    ("pruned", "정리됨"),
    ("other_log", "다른 로그"),
    // Why a message waits.
    (
        "no relay or device of the contact has taken it yet",
        "릴레이나 상대 기기가 아직 받지 않았습니다",
    ),
    (
        "given up: nobody has confirmed it for too long",
        "너무 오래 아무도 확인하지 않아 포기했습니다",
    ),
    (
        "this data is an old copy: it goes out once the others have put this device back into the chat",
        "이 데이터는 오래된 사본입니다. 다른 구성원이 이 기기를 대화에 다시 넣으면 보냅니다",
    ),
    ("a relay refused it: {}", "릴레이가 거절했습니다: {}"),
    (
        "neither a relay nor a device of the contact is connected",
        "릴레이도 상대 기기도 연결되어 있지 않습니다",
    ),
    (
        "the contact has not approved the request yet",
        "상대가 아직 요청을 승인하지 않았습니다",
    ),
    (
        "the contact's devices have not confirmed yet",
        "상대 기기가 아직 확인하지 않았습니다",
    ),
    // Checks of the doctors.
    ("store", "저장소"),
    ("listen", "수신 주소"),
    ("relay", "릴레이"),
    ("ok", "정상"),
    ("warning", "주의"),
    ("failed", "실패"),
    ("unknown", "알 수 없음"),
    ("directory", "디렉터리"),
    ("running", "실행"),
    ("admission", "입장"),
    ("metrics", "지표"),
    ("disk", "디스크"),
    ("clock", "시계"),
    ("format", "형식"),
    ("listening", "수신"),
    ("ready", "준비"),
    ("quota", "할당량"),
    ("expiry", "만료 처리"),
    ("flush", "디스크 기록"),
    ("clock_leap", "시계 도약"),
    ("damage", "손상"),
    ("load", "부하"),
    ("takes writes", "쓸 수 있습니다"),
    (
        "free disk space or check the disk, then restart the node",
        "디스크 공간을 비우거나 디스크를 점검한 뒤 노드를 다시 시작하세요",
    ),
    ("give an address with --listen", "--listen 옵션으로 주소를 지정하세요"),
    (
        "no relay is set: messages wait here until the other side is connected",
        "릴레이가 없습니다. 상대가 연결될 때까지 메시지는 여기에서 기다립니다",
    ),
    (
        "give one with --relay, so that messages reach people who are offline",
        "--relay 옵션으로 지정하면 오프라인인 사람에게도 메시지가 닿습니다",
    ),
    (
        "{} is connected, but holds nothing for you",
        "{}: 연결되었지만 아무것도 보관해 주지 않습니다",
    ),
    ("{} is not connected", "{}: 연결되지 않음"),
    ("{} is connected", "{}: 연결됨"),
    (
        "check that the relay runs and that its address is right",
        "릴레이가 실행 중인지, 주소가 맞는지 확인하세요",
    ),
    (
        "ask its operator for a token and give it with --relay-token, or use another relay",
        "운영자에게 토큰을 받아 --relay-token 옵션으로 지정하거나 다른 릴레이를 쓰세요",
    ),
    (
        "it stays in use, as it is the only one; give another with --relay; `madang evidence` shows what it did",
        "하나뿐이라 계속 씁니다. --relay 옵션으로 다른 릴레이도 지정하세요. 무엇을 했는지는 `madang evidence` 명령으로 볼 수 있습니다",
    ),
    (
        "your other relays are relied on; `madang evidence` shows what it did",
        "다른 릴레이에 의지합니다. 무엇을 했는지는 `madang evidence` 명령으로 볼 수 있습니다",
    ),
    // What the doctor of relays finds; what ends another sentence comes first.
    ("{}: full, deposits are refused", "{}: 가득 차서 맡기는 것을 거절합니다"),
    ("{}: nearly full", "{}: 거의 찼습니다"),
    (
        "{}: the disk is slow or shared",
        "{}: 디스크가 느리거나 다른 프로그램과 함께 쓰입니다",
    ),
    (
        "{}: make room, or lower --quota-total-mib; without room the relay takes no deposits",
        "{}: 공간을 비우거나 --quota-total-mib 값을 낮추세요. 공간이 없으면 릴레이가 아무것도 맡지 않습니다",
    ),
    (
        "{} envelopes in {} topics: {} % of {}, {} % of the topics",
        "봉투 {}개, 토픽 {}개: 용량의 {}%(전체 {}), 토픽 한도의 {}%",
    ),
    ("{} flushes, {} ms on average", "디스크 기록 {}회, 평균 {} ms"),
    (
        "{} can't be read: {}; name the relay's with --data",
        "읽을 수 없습니다: {}: {}. --data 옵션으로 릴레이의 디렉터리를 지정하세요",
    ),
    ("a relay has the directory open", "릴레이가 이 디렉터리를 쓰고 있습니다"),
    (
        "no relay runs here; start it with `madang relay`",
        "여기에서 실행 중인 릴레이가 없습니다. `madang relay` 명령으로 시작하세요",
    ),
    ("there is no lock file yet", "아직 잠금 파일이 없습니다"),
    ("admission is {}; version {}", "입장 방식: {}, 버전: {}"),
    (
        "the relay serves none; start it with --metrics ADDR to have quotas, flushes and queues looked at",
        "릴레이가 지표를 내놓지 않습니다. 할당량과 디스크 기록과 대기열을 보려면 --metrics ADDR 옵션으로 시작하세요",
    ),
    ("format {}", "형식 {}"),
    (
        "this is the data of a {}, not of a relay",
        "릴레이의 데이터가 아닙니다: {}",
    ),
    (
        "there is no readable file `format`: not a relay's data, or damaged",
        "읽을 수 있는 `format` 파일이 없습니다. 릴레이의 데이터가 아니거나 손상되었습니다",
    ),
    (
        "{} used; the system doesn't say what is free",
        "{} 사용. 남은 공간은 시스템이 알려 주지 않습니다",
    ),
    ("{} used, {} free", "{} 사용, {} 남음"),
    (
        "the clock is before 2026: set it, or nothing expires when it should",
        "시계가 2026년보다 앞입니다. 맞추지 않으면 제때 만료되지 않습니다",
    ),
    (
        "files of the directory were written {} s in the future: the clock went back",
        "디렉터리의 파일이 {}초 뒤의 시각에 쓰였습니다. 시계가 뒤로 갔습니다",
    ),
    ("Unix time {}", "유닉스 시각 {}"),
    (
        "{} addresses, {} of them TCP and answering",
        "주소 {}개, 그중 TCP로 응답하는 것 {}개",
    ),
    (
        "nobody answers at {}; look at firewalls and addresses of this machine",
        "응답이 없습니다: {}. 방화벽과 이 컴퓨터의 주소를 확인하세요",
    ),
    ("{} doesn't answer: {}", "{}: 응답이 없습니다: {}"),
    ("{}/metrics answers {}", "{}/metrics의 응답: {}"),
    ("takes deposits", "맡기는 것을 받습니다"),
    ("takes no deposits: {}", "맡기는 것을 받지 않습니다: {}"),
    ("nothing is kept", "보관 중인 것이 없습니다"),
    (
        "the oldest should have gone {} s ago: the relay lags, or doesn't believe its clock",
        "가장 오래된 것이 {}초 전에 지워졌어야 합니다. 릴레이가 밀렸거나 시계를 믿지 않습니다",
    ),
    ("the next envelope goes in {} s", "다음 봉투가 {}초 뒤에 지워집니다"),
    (
        "the clock has leapt ahead; nothing expires until it has stood for an hour",
        "시계가 앞으로 뛰었습니다. 한 시간 동안 그대로일 때까지 아무것도 만료되지 않습니다",
    ),
    (
        "{} rows were damaged since the start and left out: look at the disk",
        "시작한 뒤 행 {}개가 손상되어 제외되었습니다. 디스크를 점검하세요",
    ),
    (
        "{} deposits were refused since the start because the disk didn't follow",
        "시작한 뒤 디스크가 따라오지 못해 맡기는 것 {}건을 거절했습니다",
    ),
    ("no answer in time", "제때 응답하지 않았습니다"),
    ("no HTTP answer", "HTTP 응답이 아닙니다"),
    ("no HTTP status", "HTTP 상태가 없습니다"),
    // Why the JSON-RPC can't be served.
    (
        "can't listen on {} for the JSON-RPC: {}; choose another with --rpc",
        "JSON-RPC 주소를 쓸 수 없습니다: {}: {}. --rpc 옵션으로 다른 주소를 고르세요",
    ),
    ("can't use {} for TLS: {}", "TLS에 쓸 수 없습니다: {}: {}"),
    (
        "can't use {}: {}; check the directory's owner and free space",
        "쓸 수 없습니다: {}: {}. 디렉터리의 소유자와 남은 공간을 확인하세요",
    ),
    // Why a data directory can't be used.
    (
        "{} is in use by another process: stop it first, or choose another directory with --data",
        "다른 프로세스가 쓰고 있습니다: {}. 먼저 그것을 끝내거나 --data 옵션으로 다른 디렉터리를 고르세요",
    ),
    (
        "wrong passphrase for {}; nothing was changed",
        "암호가 틀렸습니다: {}. 아무것도 바뀌지 않았습니다",
    ),
    (
        "{} is protected by a passphrase: give it with --passphrase-file",
        "암호로 보호되어 있습니다: {}. --passphrase-file 옵션으로 지정하세요",
    ),
    (
        "{} has no passphrase: start without --passphrase-file",
        "암호가 없습니다: {}. --passphrase-file 옵션 없이 시작하세요",
    ),
];

/// What systems say of errors, with the number that they have on Linux.
const SYSTEM: &[(i32, &str, &str)] = &[
    (1, "Operation not permitted", "허용되지 않은 작업입니다"),
    (2, "No such file or directory", "그런 파일이나 디렉터리가 없습니다"),
    (5, "Input/output error", "입출력 오류입니다"),
    (13, "Permission denied", "권한이 없습니다"),
    (17, "File exists", "파일이 이미 있습니다"),
    (20, "Not a directory", "디렉터리가 아닙니다"),
    (21, "Is a directory", "디렉터리입니다"),
    (24, "Too many open files", "열린 파일이 너무 많습니다"),
    (28, "No space left on device", "디스크에 남은 공간이 없습니다"),
    (30, "Read-only file system", "읽기만 되는 파일 시스템입니다"),
    (32, "Broken pipe", "받는 쪽이 닫혔습니다"),
    (36, "File name too long", "파일 이름이 너무 깁니다"),
    (39, "Directory not empty", "디렉터리가 비어 있지 않습니다"),
    (98, "Address already in use", "이미 쓰이고 있는 주소입니다"),
    (99, "Cannot assign requested address", "이 컴퓨터의 주소가 아닙니다"),
    (101, "Network is unreachable", "네트워크에 닿을 수 없습니다"),
    (104, "Connection reset by peer", "상대가 연결을 끊었습니다"),
    (110, "Connection timed out", "연결 시간이 초과되었습니다"),
    (111, "Connection refused", "연결이 거부되었습니다"),
    (113, "No route to host", "호스트로 가는 길이 없습니다"),
    (122, "Disk quota exceeded", "디스크 할당량을 넘었습니다"),
];

/// Says in Korean what the node or the system says.
pub(super) fn said_ko(text: &str) -> String {
    let found = SAID.iter().find_map(|(english, korean)| {
        let differs = differing(english, text)?;
        let mut said = String::new();
        let mut differs = differs.into_iter();
        for (at, part) in korean.split("{}").enumerate() {
            if at > 0 {
                // A word may be anybody's name.
                let piece = differs.next().unwrap_or_default();
                said.push_str(&if piece.contains(' ') {
                    said_ko(piece)
                } else {
                    piece.to_owned()
                });
            }
            said.push_str(part);
        }
        Some(said)
    });
    found.or_else(|| system_ko(text)).unwrap_or_else(|| text.to_owned())
}

/// What stands at the places of a sentence that differ; `None` if a text isn't this sentence.
fn differing<'a>(sentence: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let (first, others) = match sentence.split_once("{}") {
        Some((first, others)) => (first, others),
        None => return (sentence == text).then(Vec::new),
    };
    let mut rest = text.strip_prefix(first)?;
    let mut parts: Vec<&str> = others.split("{}").collect();
    let last = parts.pop()?;
    let mut found = Vec::new();
    for part in parts {
        let (piece, behind) = rest.split_once(part)?;
        found.push(piece);
        rest = behind;
    }
    found.push(rest.strip_suffix(last)?);
    Some(found)
}

/// An error of the system: its words, and in brackets its number.
fn system_ko(text: &str) -> Option<String> {
    let (words, number) = text.split_once(" (os error ")?;
    let (_, _, korean) = SYSTEM.iter().find(|(_, english, _)| *english == words)?;
    Some(format!("{korean}(os error {number}"))
}

/// Says in Korean why the node refused, by the code of the error; `None` for one that isn't known.
pub(super) fn refusal_ko(code: &str, data: &Value) -> Option<String> {
    let field = crate::show::field(data, "field");
    let scope = crate::show::field(data, "scope");
    let limit = crate::show::number(data, "limit");
    Some(match code {
        "parse_error" => "요청이 JSON이 아닙니다".to_owned(),
        "invalid_request" => "올바른 요청이 아닙니다".to_owned(),
        "method_not_found" => "그런 메서드가 없습니다. docs/methods.md에 목록이 있습니다".to_owned(),
        "invalid_params" => format!("매개변수 '{field}' 값이 올바르지 않습니다"),
        "not_found" => format!("이 ID에 해당하는 '{field}' 항목이 없습니다"),
        "too_large" => format!("'{field}' 값이 {limit}바이트를 넘습니다"),
        "idempotency_conflict" => "이 멱등성 키는 다른 내용에 이미 쓰였습니다. 새 메시지에는 새 키를 쓰세요".to_owned(),
        "invite_invalid" => "초대가 올바르지 않습니다. 전체를 복사했는지 확인하거나 새 초대를 요청하세요".to_owned(),
        "invite_expired" => "초대가 만료되었거나 이미 쓰였습니다. 새 초대를 요청하세요".to_owned(),
        "card_unavailable" => {
            "초대한 사람의 카드를 릴레이와 주소 어디에서도 찾지 못했습니다. 그중 하나가 온라인일 때 다시 시도하세요"
                .to_owned()
        }
        "relay_unavailable" => {
            "더 오래된 글은 릴레이에만 있는데 채널의 릴레이가 응답하지 않습니다. 연결될 때 다시 시도하세요".to_owned()
        }
        "domain_unavailable" => "도메인이 응답하지 않거나 요청한 것을 주지 않습니다. 나중에 다시 시도하세요".to_owned(),
        "own_invite" => "자기 자신의 초대입니다. 다른 사람에게 주세요".to_owned(),
        "phrase_erased" => "복구 구문은 이미 확인되어 이 기기에 없습니다".to_owned(),
        "limit_reached" => format!("한도({limit})에 이르렀습니다"),
        "read_only" => "저장소에 쓸 수 없습니다. 디스크를 비우거나 점검한 뒤 노드를 다시 시작하세요".to_owned(),
        "not_whole" => "파일이 아직 다 받아지지 않았습니다".to_owned(),
        "blob_damaged" => "파일의 일부가 여기서 손상되었습니다. 파일을 버리고 다시 받으세요".to_owned(),
        "disk_full" => "디스크에 파일을 담을 자리가 없습니다. 자리를 비우고 다시 시도하세요".to_owned(),
        "overloaded" => "노드가 바쁩니다. 잠시 뒤 다시 시도하세요".to_owned(),
        "not_allowed" => "이 계정에는 허용되지 않습니다".to_owned(),
        "scope_missing" => {
            format!("이 토큰에 {scope} 권한이 없습니다. 권한을 요청하는 앱을 사용자가 승인할 수 있습니다")
        }
        "rate_limited" => "너무 자주 보냈습니다. 잠시 뒤 다시 시도하세요".to_owned(),
        "token_ended" => "이 토큰은 더는 통하지 않습니다. 사용자에게 새 토큰을 요청하세요".to_owned(),
        "unauthorized" => "모르는 토큰이거나, 사용자가 아직 앱을 승인하지 않았습니다".to_owned(),
        "internal" => "노드에서 오류가 났습니다. 이유는 노드의 로그에 있습니다".to_owned(),
        _ => return None,
    })
}

/// What evidence against a channel proves; names of later versions stay as they are.
pub(super) fn proved_en(proof: &str, number: u64) -> String {
    match proof {
        "two_entries" => format!("two different posts with the number {number}"),
        "two_histories" => format!("post {number} follows another post than the one before it"),
        "two_beacons" => format!("two different beacons with the number {number}"),
        "head_went_back" => format!("beacon {number} goes back behind an earlier one"),
        "manifest_went_back" => format!("beacon {number} has an earlier manifest"),
        "signed" => format!("signed: entry {number}"),
        "another_head" => format!("a beacon names another post with the number {number}"),
        other => format!("{} {number}", crate::safe::line(other)),
    }
}

/// The same in Korean.
pub(super) fn proved_ko(proof: &str, number: u64) -> String {
    match proof {
        "two_entries" => format!("번호가 {number}인 서로 다른 글 두 개"),
        "two_histories" => format!("{number}번 글이 바로 앞의 글이 아닌 다른 글에 이어짐"),
        "two_beacons" => format!("번호가 {number}인 서로 다른 비컨 두 개"),
        "head_went_back" => format!("{number}번 비컨이 앞선 비컨보다 뒤로 돌아감"),
        "manifest_went_back" => format!("{number}번 비컨의 소개가 앞선 것으로 돌아감"),
        "signed" => format!("서명됨: {number}번"),
        "another_head" => format!("비컨이 번호가 {number}인 다른 글을 가리킴"),
        other => format!("{} {number}", crate::safe::line(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the node has these sentences.
    const SOURCES: [&str; 16] = [
        include_str!("../../../docs/rpc.md"),
        include_str!("../../../node/src/core/api/node.rs"),
        include_str!("../../../node/src/core/relays.rs"),
        include_str!("../../../node/src/core/show.rs"),
        include_str!("../../../node/src/store/error.rs"),
        include_str!("../../../node/src/relay/doctor.rs"),
        include_str!("../../../node/src/rpc/types.rs"),
        include_str!("../../../node/src/rpc/relays.rs"),
        include_str!("../../../node/src/rpc/webhooks.rs"),
        include_str!("../../../node/src/rpc/post.rs"),
        include_str!("../../../node/src/rpc/shares.rs"),
        include_str!("../../../node/src/rpc/opens.rs"),
        include_str!("../../../node/src/rpc/domains.rs"),
        include_str!("../../../node/src/rpc/fetch.rs"),
        include_str!("../../../node/src/rpc/server.rs"),
        include_str!("../../../protocol/src/client/trust/rows.rs"),
    ];

    #[test]
    fn the_node_still_says_what_is_translated() {
        let all = SOURCES.concat().to_lowercase();
        for (english, _) in SAID {
            let fixed = english.split("{}").max_by_key(|part| part.len()).unwrap_or_default();
            let fixed = fixed.trim().trim_start_matches("is ").to_lowercase();
            assert!(all.contains(&fixed), "nobody says any more: {english}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_still_says_what_is_translated() {
        for (number, english, korean) in SYSTEM {
            let text = std::io::Error::from_raw_os_error(*number).to_string();
            assert_eq!(text, format!("{english} (os error {number})"));
            assert_eq!(said_ko(&text), format!("{korean}(os error {number})"));
        }
    }

    #[test]
    fn each_code_of_the_rpc_has_its_korean() {
        let page = include_str!("../../../docs/methods.md");
        let codes: Vec<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once("` | -32"))
            .map(|(code, _)| code)
            .collect();
        assert!(codes.len() > 15, "{codes:?}");
        for code in codes {
            assert!(refusal_ko(code, &Value::Null).is_some(), "{code}");
        }
    }

    #[test]
    fn what_differs_stays() {
        assert_eq!(said_ko("/ip4/1 is connected"), "/ip4/1: 연결됨");
        assert_eq!(said_ko("/ip4/1 is not connected"), "/ip4/1: 연결되지 않음");
        assert_eq!(said_ko("something new"), "something new");
        assert_eq!(
            said_ko("9 envelopes in 2 topics: 91.5 % of 64 MiB, 0.1 % of the topics: nearly full"),
            "봉투 9개, 토픽 2개: 용량의 91.5%(전체 64 MiB), 토픽 한도의 0.1%: 거의 찼습니다"
        );
        assert_eq!(
            said_ko("/x y can't be read: No such file or directory (os error 2); name the relay's with --data"),
            "읽을 수 없습니다: /x y: 그런 파일이나 디렉터리가 없습니다(os error 2). --data 옵션으로 릴레이의 디렉터리를 지정하세요"
        );
        assert_eq!(said_ko("Strange (os error 9999)"), "Strange (os error 9999)");
        assert_eq!(said_ko(""), "");
    }
}
