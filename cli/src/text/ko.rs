//! Korean. Where a name is put in, no particle depends on its last letter.

use super::{Language, Texts, demo, node};

/// 한국어.
pub static KO: Texts = Texts {
    language: Language::Korean,

    error: "오류",
    failed_to: |what, path, error| match path {
        "" => format!("{what} 실패: {}", node::said_ko(error)),
        path => format!("{what} 실패: {path}: {}", node::said_ko(error)),
    },
    no_node: |data| {
        format!("실행 중인 노드가 없습니다(데이터: {data}). `madang up --data {data}` 명령으로 시작하세요.")
    },
    not_found: |noun, given, list| {
        format!("{noun} 중에 `{given}`에 맞는 것이 없습니다. `madang {list}` 명령으로 확인하세요.")
    },
    ambiguous: |noun, given, candidates| {
        format!("{noun} 중에 `{given}`에 맞는 것이 여럿입니다. 다음 중 하나의 ID를 더 길게 입력하세요.{candidates}")
    },
    refused: |message, code, data| {
        let said = node::refusal_ko(code, data).unwrap_or_else(|| message.to_owned());
        format!("노드가 거절했습니다: {said} ({code})")
    },
    store_unusable: |data, reason| {
        format!(
            "데이터 디렉터리({data})를 사용할 수 없습니다: {}",
            node::said_ko(reason)
        )
    },
    setting_unusable: |field, reason| format!("{field} 값을 사용할 수 없습니다: {}", node::said_ko(reason)),
    network_unusable: |reason| format!("네트워크를 사용할 수 없습니다: {}", node::said_ko(reason)),
    place_unreadable: |path, error| {
        format!(
            "읽을 수 없습니다: {path}: {}. 노드를 다시 시작하세요.",
            node::said_ko(error)
        )
    },
    no_token_in: |path| format!("첫 줄에 토큰이 없습니다: {path}"),
    list_endless: |method, limit| format!("{method} 목록이 {limit}개를 넘습니다."),
    no_socket: |error| format!("노드가 WebSocket을 열지 않습니다: {error}"),
    node_silent: |data| format!("노드가 응답하지 않습니다(데이터: {data}). 노드의 로그를 확인하세요."),
    node_unasked: |error| format!("노드에 요청할 수 없습니다: {error}"),
    no_home: "이 사용자에게 홈 디렉터리가 없습니다. --data DIR 옵션으로 데이터 디렉터리를 지정하세요.",
    asks_no_node: "노드에 요청하는 명령이 아닙니다.",
    over_bytes: |limit| format!("{limit}바이트를 넘습니다"),
    is_absent: "파일이 없습니다",

    to_write_stdout: "표준 출력에 쓰기",
    to_write: "쓰기",
    to_read: "읽기",
    to_open: "열기",
    to_read_stdin: "표준 입력 읽기",
    to_get_random: "시스템에서 난수 받기",
    to_read_passphrase: "암호 파일 읽기",
    to_catch_signals: "시그널 받기",
    to_start_runtime: "런타임 시작",
    to_make_directory: "임시 디렉터리 만들기",
    to_find_program: "이 프로그램의 파일 찾기",
    to_start_process: "프로세스 시작",
    to_end_process: "프로세스 종료",
    to_await_process: "프로세스 종료 대기",
    to_run_shell: "/bin/sh 실행",

    noun_chat: "대화",
    noun_contact: "연락처",
    noun_member: "구성원",
    noun_app: "앱",
    noun_request: "요청",
    noun_archive: "보관함",
    noun_channel: "채널",
    noun_post: "글",
    noun_message: "메시지",
    noun_token: "토큰",
    noun_setting: "설정",

    account: "계정",
    device: "기기",
    name: "이름",
    phrase: "복구 구문",
    version: "버전",
    peer: "피어",
    running: "실행 시간",
    listens: "수신 주소",
    data: "데이터",
    metrics: "지표",
    relay: "릴레이",
    chat: "대화",
    message: "메시지",
    author: "보낸 사람",
    sent: "보낸 시각",
    received: "받은 시각",
    held_by: "보관",
    delivered_to: "전달된 기기",
    read_by: "읽은 기기",
    state: "상태",
    timer: "타이머",
    you: "나",
    ok: "정상",
    fail: "실패",
    connected: "연결됨",
    unconnected: "연결되지 않음",

    since: |time| format!("{time}부터"),
    until: |time| format!("{time}까지"),
    node_says: node::said_ko,

    phrase_confirmed: "확인됨. 루트 키가 이 기기에서 삭제되었습니다",
    phrase_unconfirmed: "확인되지 않음. `madang phrase` 명령을 참고하세요",
    phrase_erased: "확인했습니다. 루트 키가 이 기기에서 삭제되었으므로, 적어 둔 단어로만 계정을 복구할 수 있습니다.",
    phrase_advice: "단어를 종이에 적어 두고 아무에게도 보여 주지 마세요. 이 단어를 가진 사람은 곧 당신이 됩니다.\n\
        다 적었으면 `madang phrase --confirm` 명령으로 이 기기에서 루트 키를 삭제하세요.",
    account_created: "새 계정을 만들었습니다",
    phrase_is_at: |data| format!("복구 구문 보기: `madang phrase --data {data}`. 꼭 적어 두세요"),
    starting: "시작하는 중",
    catching_up: |caught| {
        let mut text = format!("따라잡는 중: 릴레이 {}/{} 연결", caught.relays.0, caught.relays.1);
        if caught.received > 0 {
            text.push_str(&format!(", 메시지 {}개 도착", caught.received));
        }
        if caught.gaps > 0 {
            text.push_str(&format!(", 빠진 구간 {}개를 찾는 중", caught.gaps));
        }
        text
    },
    caught_up: |received| match received {
        0 => "모두 따라잡았습니다. 새 메시지가 없습니다.".to_owned(),
        many => format!("모두 따라잡았습니다. 메시지 {many}개가 도착했습니다."),
    },
    no_passphrase_in: |path, limit| format!("첫 줄에 암호가 없거나 {limit}바이트를 넘습니다: {path}"),
    examining: "살펴보는 중",
    doctor_failed: "실패한 검사가 있습니다. 그 줄에 해결 방법이 있습니다.",
    path: |path| match path {
        "direct" => "직접 연결".to_owned(),
        "relay" => "릴레이 경유".to_owned(),
        "none" => "연결 경로 없음".to_owned(),
        other => crate::safe::line(other),
    },
    waiting: |count| format!("{count}개 대기 중"),
    gaps_seen: |count| format!("빠진 구간 {count}개(`madang gaps` 참고)"),
    no_evidence: "릴레이에 불리한 증거가 없습니다",

    invited: |several, until| {
        let who = if several {
            "받은 사람 누구나"
        } else {
            "한 사람만"
        };
        format!("{who} 쓸 수 있습니다({until} UTC까지). 상대는 `madang accept INVITE` 명령을 실행합니다.")
    },
    asking_inviter: "초대한 사람을 찾는 중(최대 20초)",
    accepted: "요청을 보냈습니다. 상대가 승인하거나 그룹에 들어가면 대화가 시작됩니다.",
    no_requests: "요청이 없습니다",
    declined: "거절했습니다",
    no_contacts: "연락처가 없습니다",
    for_contact: "연락처 요청",
    for_group: |group| format!("그룹 참여 요청: {group}"),
    looks_like: |other| format!("[비슷한 이름: {other}]"),

    group_invited: |at_once, until| {
        let how = if at_once {
            "가진 사람은 바로 들어옵니다"
        } else {
            "가진 사람이 요청하면 하나씩 승인합니다"
        };
        format!("{how}({until} UTC까지). 상대는 `madang accept INVITE` 명령을 실행합니다.")
    },
    taken_back: "거두어들였습니다",
    leaving: "다른 구성원에게 이 계정을 내보내 달라고 요청했습니다. 누군가 처리할 때까지는 메시지가 계속 옵니다.",
    no_links: "열린 링크가 없습니다",
    let_in: |uses, limit| format!("{limit}명 중 {uses}명 입장"),
    you_approve: "승인 필요",
    at_once: "바로 입장",
    epoch: |epoch| format!("에포크 {epoch}"),
    branches: |count| format!("정리 중인 갈래 {count}개"),
    envelopes_wait: |count| format!("커밋을 기다리는 봉투 {count}개"),
    changes_under_way: |count| format!("진행 중인 변경 {count}개"),
    rejoining: "이 기기를 다시 넣어 달라고 요청함",
    gaps_lost: |count| format!("작성자가 포기한 구간 {count}개"),

    no_channels: "채널이 없습니다",
    too_long_for_qr: "너무 길어서 QR 코드로 만들 수 없습니다",
    qr_needs_columns: |columns| format!("코드에 {columns}칸이 필요합니다. 터미널을 넓혀 주세요"),
    label_directory: "디렉터리",
    is_listed: "여기서 찾을 수 있음",
    waits_for_directory: "아직 올라가지 않음",
    leaves_directory: "내리는 중",
    no_digest: "보류된 글이 없습니다",
    no_inbox: "채널에 수신함이 없습니다",
    written_back: |message, chat| format!("{message}  대화 {chat}. 처음이면 채널이 먼저 승인해야 합니다"),
    no_writers: "채널 주인 말고는 쓰는 사람이 없습니다",
    writer_removed: "이제 쓸 수 없습니다",
    publish_at: |url| format!("이 내용을 여기에 게시하세요: {url}"),
    label_domain_proved: "확인된 소속",
    label_broke_promise: "약속을 어김",
    label_terms: "내 조건",
    label_held_back: "보류",
    held_back: |posts| format!("글 {posts}개: `madang channel digest`를 보세요"),
    no_posts: "아직 글이 없습니다",
    no_plans: "예약된 글이 없습니다",
    no_such_relay: |key| {
        format!("{key}(으)로 시작하는 릴레이가 하나로 정해지지 않습니다. `madang channel relays list`에 나옵니다")
    },
    no_channel_in_message: "이 메시지에는 채널이 없습니다",
    channel_followed: |name| format!("팔로우합니다: {name}"),
    channel_unfollowed: "팔로우를 그만두었습니다",
    poll_open: "투표 마감",
    poll_over: "마감됨",
    poll_chosen: "내 선택",
    poll_voters: |people| format!("응답: {people}"),
    poll_capped: "세지 못한 응답이 더 있습니다",
    fewer_than_20: "20명 미만",
    no_figures: "아직 수치가 없습니다",
    asking_relays: "채널의 릴레이에 묻는 중",
    label_all_relays: "최대",
    watchers: |people| format!("지켜보는 수: {people}"),
    deliveries: |people| format!("전달된 수: {people}"),
    not_counted: "이 글은 세지 않거나 더는 세지 않음",
    counted_at: |at| format!("{at} 기준"),
    counted_from_to: |since, at| format!("{since}부터 {at}까지"),
    relay_away: "연결되지 않음",
    relay_tells_none: "응답 없음. 수치를 알려 주지 않는 이전 버전일 수 있습니다",
    relay_refuses: |why| format!("거부됨: {why}"),
    channel_blocked: "차단했습니다",
    channel_allowed: "차단을 풀었습니다",
    channel_own: "내 채널",
    channel_is_followed: "채널",
    channel_is_muted: "채널, 알림 끔",
    label_via: "경로",
    via_followers: "릴레이와 팔로워 (팔로워는 내가 팔로우하는 것을 알게 됩니다)",
    channel_is_blocked: "채널, 차단됨",
    channel_stale: "채널 소식이 너무 오래 없습니다. 릴레이가 새 글을 내주지 않는 것일 수 있습니다",
    channel_contradicts: "채널이 서로 어긋나는 것에 서명했습니다. `madang channel evidence`를 보세요",
    no_evidence_of_channel: "남겨 둔 증거가 없습니다",
    proved: node::proved_ko,
    post_made: "올렸습니다",
    post_planned: "예약했습니다",
    post_retracted: "(거두어들임)",
    post_provisional: "채널이 아직 확인하지 않음",
    post_waits: |reason| format!("대기 중: {reason}"),
    post_advertising: "광고",
    post_unknown: "(이 버전이 보여 줄 수 없는 종류의 글)",
    posts_per_day: |posts| format!("하루 글 최대 {posts}개"),
    want_pair: |given| format!("`{given}`: `=`로 나뉜 두 부분이어야 합니다"),
    label_channel: "채널",
    label_name: "이름",
    label_description: "설명",
    label_domain: "소속이라고 밝힌 도메인",
    label_web: "웹",
    label_category: "분류",
    label_promise: "약속",
    label_state: "상태",
    label_beacon: "마지막 소식",
    label_missing: "빠진 것",
    label_evidence: "증거",
    label_link: "링크",
    no_chats: "대화가 없습니다",
    no_messages: "메시지가 없습니다",
    unread: |count| format!("안 읽음 {count}"),
    under_alias: |name| format!("별칭 {name}").trim_end().to_owned(),
    held_until: |time| format!("릴레이 보관 중({time}까지)"),
    reply_to: |message| format!("{message}에 답장"),
    edited: "수정됨",
    deleted: "삭제됨",
    cannot_show: "이 버전에서는 볼 수 없음",
    not_in_text: |name| format!("글에 `{name}` 부분이 없어 언급할 수 없습니다."),
    typing_told: "연결된 사람에게 알렸습니다",
    some_missing: "빠진 메시지를 찾고 있습니다. `madang gaps` 명령을 참고하세요.",
    marked_through: |message| format!("{message}까지 읽음으로 표시했습니다"),
    nothing_missing: "빠진 메시지가 없습니다",
    messages_range: |first, last| {
        if first == last {
            format!("메시지 {first}")
        } else {
            format!("메시지 {first}–{last}")
        }
    },
    gap_forked: |at| format!("{at}번에 서로 다른 메시지 두 개"),
    gap_lost: "작성자가 포기함",
    gap_asked: |times| match times {
        0 => "찾는 중".to_owned(),
        times => format!("찾는 중, {times}번 요청함"),
    },
    reading: |have, all| format!("읽는 중: 메시지 {have}/{all}"),
    pinned: "고정됨",
    no_pins: "고정한 메시지가 없습니다",
    exporting: |count| format!("내보내는 중: 메시지 {count}개"),
    exported: |count, dir, files, missing| {
        let mut said = format!("메시지 {count}개와 파일 {files}개를 {dir}에 썼습니다");
        if missing > 0 {
            said.push_str(&format!(
                ". 파일 {missing}개는 여기에 없습니다. `madang save`로 가져올 수 있습니다"
            ));
        }
        said
    },
    exported_at: |time| format!("{time}에 내보냄"),
    importing: |count| format!("가져오는 중: 메시지 {count}개"),
    imported: |archive, count, added| format!("{archive}  메시지 {count}개 중 {added}개가 새로 들어왔습니다"),
    import_unreadable: |path, why| format!("{path}을(를) 가져올 수 없습니다: {why}"),
    no_archives: "가져온 것이 없습니다",
    archive_removed: "지웠습니다",
    archive_unproved: "파일에서 가져온 것이라 누가 썼는지 증명되지 않습니다",
    searching: |found| format!("찾는 중: {found}개 찾음"),
    nothing_found: "찾은 것이 없습니다",
    more_found: |limit| format!("최근 {limit}개입니다. --limit N으로 더 볼 수 있습니다"),
    search_incomplete: "검색 색인을 아직 만드는 중이라 더 있을 수 있습니다",
    sending_file: |name| format!("{name} 보내는 중"),
    fetching_file: |name| format!("{name} 받는 중"),
    saving_file: |name| format!("{name} 저장하는 중"),
    saved: |path| format!("{path}에 저장했습니다"),
    no_files: "이 메시지에는 파일이 없습니다",
    no_event: "이 글은 행사가 아닙니다",
    not_a_file: |path| format!("{path}: 파일이 아닙니다. 폴더라면 먼저 압축하세요"),
    file_changed: |path| format!("{path}: 보내는 동안 파일이 바뀌어 아무것도 보내지 않았습니다. 다시 시도하세요"),
    file_lost: "파일을 가진 기기가 제때 접속하지 않았습니다",
    file_broken: "노드가 끝나기 전에 연결을 끊었습니다. 다시 시도하세요",
    name_suspicious: "주의: 이름에 숨은 문자가 있거나 여러 문자가 섞여 있습니다",

    acknowledged: "확인 응답했습니다",
    event_unreadable: |error| format!("노드가 JSON이 아닌 이벤트를 보냈습니다: {error}"),
    subscription_ended: "노드가 구독을 끝냈습니다. 노드의 로그를 확인하세요.",
    node_ended: |cursor| format!("노드가 끝났습니다. `madang events --after {cursor}` 명령으로 이어서 볼 수 있습니다."),
    types: "입력 중",
    stopped_typing: "입력을 멈춤",
    approve_with: |request| format!("승인: `madang approve {request}`"),
    approve_app_with: |app| format!("승인: `madang app approve {app}`"),
    events_missing: |from, to, why| format!("로그에 없는 이벤트: {from}–{to}({why})"),
    events_wait: |count| format!("기다리는 이벤트 {count}개"),
    params_no_object: "매개변수는 '{\"limit\": 5}' 같은 JSON 객체 하나여야 합니다.",
    params_unreadable: |error| format!("매개변수가 JSON이 아닙니다: {error}"),

    no_apps: "앱이 없습니다",
    apps_advice: "요청한 앱을 승인하려면 `madang app approve APP`, 물리치려면 `madang app revoke APP` 명령을 쓰세요.",
    no_picks: "기다리는 카드가 없습니다",
    no_replies: "기다리는 답이 없습니다",
    noun_pick: "기다리는 카드",
    noun_reply: "기다리는 답",
    pick_dropped: "물리쳤습니다. 아무것도 보내지 않았습니다",
    share_handed: "앱에 넘겼습니다",
    share_on: |message| format!("`madang share send --message {message} --to 대화`로 다른 대화에 보낼 수 있습니다"),
    share_would_answer: |data| format!("`madang share reply`를 쓰면 앱에 이렇게 답합니다: {data}"),
    share_answered: "답했습니다",
    share_browser: "5분 안에 브라우저에서 여세요. 맨 처음 연 브라우저만 연결됩니다",
    share_choose: |url| format!("보낼 곳 고르기: {url}"),
    by_app: |name, key| format!("앱 {name}, {key} 키로 서명함"),
    channel_card: |name, key| format!("채널 소개: {name}, 키 {key}"),
    by_outdated: ", 알려진 것보다 오래된 앱 설명",
    by_domain_claimed: |domain| format!(", {domain} 소속이라고 밝힘"),
    by_domain_proved: |domain, time| format!(", {domain} 소속으로 확인됨({time})"),
    domain_unavailable: |domain, reason| format!("{domain}에 물을 수 없습니다: {reason}"),
    picture_left_out: |image, reason| format!("{image} 그림을 뺐습니다: {reason}"),
    by_page: |origin| format!("페이지 {origin}, 보낸 사람의 말"),
    by_nobody: "서명 없음",
    app_ended: "토큰이 더는 통하지 않으며 연결도 닫혔습니다",
    no_webhooks: "웹훅이 없습니다",
    webhook_secret_once: "보내는 내용에 이 비밀값으로 서명합니다(Standard Webhooks). 지금 한 번만 표시됩니다",
    webhook_ended: "더는 그곳으로 보내지 않습니다",
    webhook_answers: |status| format!("받는 쪽이 {status} 응답을 합니다. `madang app webhook list` 명령을 참고하세요"),
    webhook_unreachable: "받는 쪽에 연결할 수 없습니다. `madang app webhook list` 명령을 참고하세요",
    yours: "내 것",
    tried_again: |time| format!("다시 시도 {time}"),
    wants_scopes: |has, wants| format!("{has} ({wants} 요청함)"),
    app_asked: |app| {
        format!("지금만 표시됩니다. 사용자가 `madang app approve {app}` 명령으로 승인하면 쓸 수 있습니다.")
    },
    token_once: "지금만 표시됩니다. `madang app revoke` 명령으로 없앨 수 있습니다.",

    relay_token_once: |id| {
        format!(
            "한 번만 표시됩니다. 가진 사람은 릴레이를 쓸 수 있습니다. `madang relay token revoke {id}` 명령으로 거두어들이세요."
        )
    },
    no_tokens: "토큰이 없습니다",
    no_reports: "신고된 글이 없습니다",
    reported_times: |count| format!("신고 {count}건"),
    report_dismissed: |post| format!("치움: {post}"),
    report_sent: |relays| format!("릴레이 {relays}곳의 운영자에게 보내는 중"),
    noun_report: "신고된 글",
    label_post: "글",
    label_reasons: "이유",
    label_says: "내용",
    label_written: "저장",
    revoked: |id| format!("거두어들임: {id}"),
    checks_failed: |names| format!("실패한 검사: {names}"),

    setting_bad: |place, why| format!("{place}: 값을 사용할 수 없습니다. {why}"),
    setting_unknown: |name| format!("설정 파일의 `{name}` 항목은 이 버전이 모르는 설정입니다."),
    setting_unset: |name| format!("설정되지 않았습니다: {name}"),
    setting_written: |path| format!("저장했습니다: {path}"),
    setting_covered: |variable| format!("환경 변수 {variable}의 값이 파일보다 우선합니다."),
    from_file: "파일",
    by_default: "기본값",
    config_unreadable: |path, why| format!("설정 파일을 읽을 수 없습니다: {path}: {}", node::said_ko(why)),
    no_config_file: "설정 파일이 없습니다. MADANG_CONFIG 변수가 비어 있거나 홈 디렉터리가 없습니다. --config FILE 옵션으로 지정하세요.",
    not_unicode: "UTF-8이 아닙니다.",
    want_text: "따옴표로 둘러싼 글이어야 합니다.",
    want_texts: "[\"…\", \"…\"] 같은 글 목록이어야 합니다.",
    want_one: "값을 하나만 받습니다.",
    want_table: "그 자리에 있는 것은 테이블이 아닙니다.",
    want_at_most: |limit| format!("값은 최대 {limit}개입니다."),
    want_bytes: |limit| format!("1–{limit}바이트여야 하고 제어 문자가 없어야 합니다."),
    want_multiaddr: "/ip4/192.0.2.7/udp/4001/quic-v1 같은 멀티주소여야 합니다.",
    want_relay: "`madang relay` 명령이 출력하는 것처럼 /p2p/KEY로 끝나는 멀티주소여야 합니다.",
    want_socket: "127.0.0.1:0 같은 주소와 포트여야 합니다.",
    want_mib: "1부터 1073741824까지의 MiB 정수여야 합니다.",
    want_host: "node.example처럼 포트 없는 호스트 이름이어야 합니다.",
    tls_lacks: |missing| {
        format!("JSON-RPC의 TLS에는 rpc_tls, rpc_tls_cert, rpc_tls_key가 모두 필요합니다. 빠진 것: {missing}")
    },
    want_log: "`info`나 `warn,madang_node=debug` 같은 필터여야 합니다.",
    want_one_of: |known| format!("가능한 값: {known}"),

    app_made: |app, key, manifest| {
        format!(
            "앱 {app}\n키          {key}  (남에게 주지 마세요. 이 키가 있으면 누구나 이 앱으로 서명합니다)\n매니페스트  {manifest}  (고쳐 쓰고, 고칠 때마다 `number`를 올리세요)"
        )
    },
    app_exists: |path| format!("{path} 파일이 이미 있습니다. 앱의 키는 덮어쓰지 않습니다"),
    no_app_key: |path| format!("{path} 파일에 앱의 키가 없습니다. `madang app new DIR`로 만듭니다"),
    domain_unnamed: |domain, manifest| format!("{manifest}의 `domains`에 {domain}이(가) 없습니다. 먼저 적어 넣으세요"),
    to_be_published: |url| format!("{url}에 올립니다. 이미 있는 내용은 그대로 두고 더합니다"),
    share_valid: |template, bytes| format!("올바른 공유입니다: {template}, {bytes}바이트"),
    signed_by: |app, name| format!("서명한 앱: {app}, 스스로 밝힌 이름 «{name}»"),
    signed_by_nobody: |origin| match origin {
        "" => "서명한 앱이 없습니다".to_owned(),
        origin => format!("서명한 앱이 없습니다. 보낸 사람이 밝힌 페이지: {origin}"),
    },
    has_expired: "기한이 지났습니다",
    left_out: |members| format!("공유에 넣을 자리가 없어 뺐습니다: {members}"),
    share_limit: |member, found, limit| format!("{member}: {found}은(는) 한도를 벗어났습니다 ({limit})"),
    share_missing: |member| format!("{member}: 없습니다"),
    share_invalid: |member, reason| format!("{member}: {reason}"),
    share_no_json: |member, reason| format!("{member}: JSON으로 읽을 수 없습니다({reason})"),
    share_forged: "서명이 맞지 않습니다. 앱이 서명한 내용이 아닙니다",

    pages_written: |count, dir| format!("{count}쪽을 썼습니다: {dir}"),
    has_no_stdout: "프로세스에 표준 출력이 없습니다",
    ended_early: "프로세스가 준비되기 전에 끝났습니다",
    not_ready: "프로세스가 제때 준비되지 않았습니다",
    ended_badly: |name, status| format!("{name}: 종료 요청 뒤 오류로 끝났습니다({status})"),
    ended_by_itself: |name| format!("{name}: 스스로 끝났습니다"),
    does_not_end: |name| format!("{name}: 끝나지 않습니다"),
    cannot_ask_to_stop: |name| format!("{name}: 종료를 요청할 수 없습니다"),
    log_empty: |log| format!("로그가 비어 있습니다: {log}"),
    log_ends: |end| format!("로그의 끝:\n  {end}"),
    demo: demo::KO,
};
