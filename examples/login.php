<?php
// A log-in by one-time code, with nothing but PHP:  php -S 127.0.0.1:8000 examples/login.php
// ESMS_BASE_URL, ESMS_API_KEY and ESMS_SECRET_KEY say whom to call: `bocau dev` here, a bocau or eSMS in production.
// Nothing else differs. Its test is tests/examples/test_login.py.
declare(strict_types=1);

const TEXT = '%s la ma dang nhap Bocau cua ban';   // as it is registered for the brandname

/** Sends a text and returns CodeResult: "100" if it was accepted. */
function send_sms(string $phone, string $text): string
{
    $body = [
        'ApiKey' => getenv('ESMS_API_KEY'),
        'SecretKey' => getenv('ESMS_SECRET_KEY'),
        'Phone' => $phone,
        'Content' => $text,
        'Brandname' => 'Bocau',
        'SmsType' => '2',
        'RequestId' => bin2hex(random_bytes(16)),
    ];
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => 'Content-Type: application/json',
        'content' => json_encode($body),
        'timeout' => 10,
        'ignore_errors' => true,
    ]]);
    $base = getenv('ESMS_BASE_URL') ?: 'https://rest.esms.vn';
    $answer = file_get_contents("$base/MainService.svc/json/SendMultipleMessage_V4_post_json/", false, $context);
    return (string) (json_decode((string) $answer, true)['CodeResult'] ?? '');
}

function answer(int $status, string $text): void
{
    http_response_code($status);
    echo $text;
}

session_start();
switch (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
    case '/ask':
        $code = str_pad((string) random_int(0, 999999), 6, '0', STR_PAD_LEFT);
        $result = send_sms($_POST['phone'] ?? '', sprintf(TEXT, $code));
        if ($result === '100') {
            $_SESSION['waiting'] = [$_POST['phone'], $code];
            answer(200, 'We have sent you a code.');
        } elseif ($result === '108') {
            answer(400, 'This is no mobile number.');
        } else {
            answer(503, 'We cannot send a code just now.');
        }
        break;
    case '/enter':
        [$phone, $code] = $_SESSION['waiting'] ?? ['', ''];
        unset($_SESSION['waiting']);   // it is good for one try
        if ($code !== '' && hash_equals($code, $_POST['code'] ?? '')) {
            $_SESSION['phone'] = $phone;
            answer(200, "Welcome, $phone.");
        } else {
            answer(403, 'This is not the code.');
        }
        break;
    default:
        answer(404, 'There is nothing here.');
}
