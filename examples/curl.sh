#!/bin/sh
# Sends one SMS and asks for its state. BOCAU_URL is the gateway's address; `bocau dev` listens at the default.
set -eu

url=${BOCAU_URL:-http://127.0.0.1:8484}
key=${BOCAU_API_KEY:-bocau-dev}
secret=${BOCAU_SECRET_KEY:-bocau-dev-secret}

answer=$(curl -sS "$url/MainService.svc/json/SendMultipleMessage_V4_post_json/" -d '{
  "ApiKey": "'"$key"'", "SecretKey": "'"$secret"'", "Phone": "0901234567", "Brandname": "Baotrixemay", "SmsType": "2",
  "Content": "4821 la ma xac minh dang ky Baotrixemay cua ban"
}')
echo "$answer"

smsid=$(echo "$answer" | sed -n 's/.*"SMSID":"\([^"]*\)".*/\1/p')
[ -n "$smsid" ] || exit 1

sleep "${BOCAU_WAIT:-1}"
curl -sS "$url/MainService.svc/json/GetSendStatus" \
  -d '{"ApiKey": "'"$key"'", "SecretKey": "'"$secret"'", "RefId": "'"$smsid"'"}'
echo
