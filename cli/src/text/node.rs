//! What the node says in words of its own, in Korean. Its sentences are found by their English; one that isn't known is shown as it is.

use serde_json::Value;

/// Words and sentences of the node. `{}` stands for what differs, once at most.
const SAID: &[(&str, &str)] = &[
    // States.
    ("requested", "승인 대기"),
    ("active", "활성"),
    ("expired", "만료"),
    ("left", "나감"),
    ("owner", "소유자"),
    ("admin", "관리자"),
    ("member", "구성원"),
    ("queued", "대기 중"),
    ("held", "릴레이 보관 중"),
    ("delivered", "전달됨"),
    ("read", "읽음"),
    ("open", "찾는 중"),
    ("filled", "채워짐"),
    ("lost", "작성자가 포기함"),
    ("void", "빠진 것 없음"),
    ("forked", "서로 다른 메시지"),
    ("trusted", "신뢰함"),
    ("demoted", "신뢰하지 않음"),
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
    ("it can't be reached: {}", "연결할 수 없습니다: {}"),
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

/// Says in Korean what the node says.
pub(super) fn said_ko(text: &str) -> String {
    let found = SAID.iter().find_map(|(english, korean)| {
        let Some((before, behind)) = english.split_once("{}") else {
            return (*english == text).then(|| (*korean).to_owned());
        };
        let differs = text.strip_prefix(before)?.strip_suffix(behind)?;
        Some(korean.replace("{}", differs))
    });
    found.unwrap_or_else(|| text.to_owned())
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
        "own_invite" => "자기 자신의 초대입니다. 다른 사람에게 주세요".to_owned(),
        "phrase_erased" => "복구 구문은 이미 확인되어 이 기기에 없습니다".to_owned(),
        "limit_reached" => format!("한도({limit})에 이르렀습니다"),
        "read_only" => "저장소에 쓸 수 없습니다. 디스크를 비우거나 점검한 뒤 노드를 다시 시작하세요".to_owned(),
        "overloaded" => "노드가 바쁩니다. 잠시 뒤 다시 시도하세요".to_owned(),
        "not_allowed" => "이 계정에는 허용되지 않습니다".to_owned(),
        "scope_missing" => {
            format!("이 토큰에 {scope} 권한이 없습니다. 권한을 요청하는 앱을 사용자가 승인할 수 있습니다")
        }
        "token_ended" => "이 토큰은 더는 통하지 않습니다. 사용자에게 새 토큰을 요청하세요".to_owned(),
        "unauthorized" => "모르는 토큰이거나, 사용자가 아직 앱을 승인하지 않았습니다".to_owned(),
        "internal" => "노드에서 오류가 났습니다. 이유는 노드의 로그에 있습니다".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the node has these sentences.
    const SOURCES: [&str; 11] = [
        include_str!("../../../docs/rpc.md"),
        include_str!("../../../node/src/core/api.rs"),
        include_str!("../../../node/src/core/relays.rs"),
        include_str!("../../../node/src/core/show.rs"),
        include_str!("../../../node/src/store/error.rs"),
        include_str!("../../../node/src/relay/doctor.rs"),
        include_str!("../../../node/src/rpc/types.rs"),
        include_str!("../../../node/src/rpc/relays.rs"),
        include_str!("../../../node/src/rpc/webhooks.rs"),
        include_str!("../../../node/src/rpc/post.rs"),
        include_str!("../../../protocol/src/client/trust/rows.rs"),
    ];

    #[test]
    fn the_node_still_says_what_is_translated() {
        let all = SOURCES.concat().to_lowercase();
        for (english, _) in SAID {
            let fixed = english.split("{}").max_by_key(|part| part.len()).unwrap_or_default();
            let fixed = fixed.trim().trim_start_matches("is ");
            assert!(all.contains(fixed), "nobody says any more: {english}");
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
        assert_eq!(said_ko(""), "");
    }
}
