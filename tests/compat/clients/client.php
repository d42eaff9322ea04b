<?php
// What PHP clients of the API do, in one program: `php client.php http://127.0.0.1:8484`.
// Prints one line for each habit, "ok NAME" or "failed NAME: why"; every habit is one that was seen in the field.

$service = $argv[1] . '/MainService.svc';
$keys = ['ApiKey' => 'bocau-dev', 'SecretKey' => 'bocau-dev-secret'];
$sms = $keys + [
    'Content' => '4821 la ma xac minh dang ky Baotrixemay cua ban',
    'Phone' => '0901234567',
    'Brandname' => 'Baotrixemay',
    'SmsType' => 2,
];

function call(string $url, $body = null, array $headers = []): string
{
    $curl = curl_init($url);
    curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_FAILONERROR => true, CURLOPT_TIMEOUT => 15]);
    if ($body !== null) {
        curl_setopt_array($curl, [CURLOPT_POST => true, CURLOPT_POSTFIELDS => $body, CURLOPT_HTTPHEADER => $headers]);
    }
    $answer = curl_exec($curl);
    if ($answer === false) {
        throw new Exception(curl_error($curl));
    }
    return $answer;
}

function accepted(string $answer): array
{
    $reply = json_decode($answer, true);
    if ($reply['CodeResult'] == 100) { // loosely, as most do
        return $reply;
    }
    throw new Exception($reply['ErrorMessage'] ?? $answer);
}

$habits = [
    'json by curl' => fn() => accepted(
        call("$service/json/SendMultipleMessage_V4_post_json/", json_encode($sms), ['Content-Type: application/json'])
    ),
    'json with escaped unicode and no type' => fn() => accepted(
        call(
            "$service/json/SendMultipleMessage_V4_post_json",
            json_encode(['Content' => 'Bocau xin chào Đặng Thị Mỹ, cam on ban da dang ky', 'Brandname' => 'Bocau'] + $sms),
            ['Content-Type:']
        )
    ),
    'json posted with the type of a form' => fn() => accepted(
        call("$service/json/SendMultipleMessage_V4_post_json/", json_encode($sms))
    ),
    'form by http_build_query' => fn() => accepted(
        call("$service/json/SendMultipleMessage_V4_post/", http_build_query($sms))
    ),
    'query by concatenation' => fn() => accepted(
        call("$service/json/SendMultipleMessage_V4_get?Phone={$sms['Phone']}&ApiKey={$keys['ApiKey']}&SecretKey="
            . "{$keys['SecretKey']}&SmsType=2&Brandname=Baotrixemay&Content=" . urlencode($sms['Content']))
    ),
    'xml text, read by SimpleXMLElement' => function () use ($service, $keys) {
        $body = "<RQST><APIKEY>{$keys['ApiKey']}</APIKEY><SECRETKEY>{$keys['SecretKey']}</SECRETKEY><SMSTYPE>2</SMSTYPE>"
            . '<CONTENT>Bocau xin chao A & B, cam on ban da dang ky</CONTENT><BRANDNAME>Bocau</BRANDNAME>'
            . '<CONTACTS><CUSTOMER><PHONE>0901234567</PHONE></CUSTOMER></CONTACTS></RQST>';
        $reply = new SimpleXMLElement(call("$service/xml/SendMultipleMessage_V4/", $body, ['Content-Type: text/plain']));
        if ($reply->CodeResult != 100 || strlen($reply->SMSID) < 32) {
            throw new Exception($reply->asXML());
        }
    },
    'balance as xml' => function () use ($service, $keys) {
        $reply = new SimpleXMLElement(call("$service/xml/GetBalance/{$keys['ApiKey']}/{$keys['SecretKey']}"));
        if ($reply->getName() != 'MemberModel' || $reply->CodeResponse != 100 || !is_numeric((string) $reply->Balance)) {
            throw new Exception($reply->asXML());
        }
    },
    'spoken code' => fn() => accepted(
        call("$service/json/VoiceOTP?" . http_build_query($keys + ['Phone' => '0901234567', 'Code' => 482193]))
    ),
    'call by an unknown template' => function () use ($service, $keys) {
        $query = http_build_query($keys + ['Phone' => '0901234567', 'ApiCode' => 'x', 'PassCode' => 'y', 'VarStr' => '1']);
        $reply = json_decode(call("$service/json/MakeCall?$query"));
        if ($reply->CodeResult !== '104') {
            throw new Exception(json_encode($reply));
        }
    },
    'status after a send' => function () use ($service, $sms, $keys) {
        $sent = accepted(call("$service/json/SendMultipleMessage_V4_post_json/", json_encode($sms)));
        $query = http_build_query(['RefId' => $sent['SMSID']] + $keys);
        $status = json_decode(call("$service/json/GetSendStatus?$query"), true);
        if ($status['CodeResponse'] != 100 || !is_int($status['SendStatus'])) {
            throw new Exception(json_encode($status));
        }
    },
];

foreach ($habits as $name => $habit) {
    try {
        $habit();
        echo "ok $name\n";
    } catch (Throwable $error) {
        echo "failed $name: {$error->getMessage()}\n";
    }
}
