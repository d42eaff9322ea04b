// A log-in by one-time code, with nothing but the JDK:  java examples/Login.java 8000
// ESMS_BASE_URL, ESMS_API_KEY and ESMS_SECRET_KEY say whom to call: `bocau dev` here, a bocau or eSMS in production.
// Nothing else differs. Its test is tests/examples/test_login.py.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Login {
    static final String TEXT = "%s la ma dang nhap Bocau cua ban"; // as it is registered for the brandname
    static final Pattern RESULT = Pattern.compile("\"CodeResult\"\\s*:\\s*\"(\\d+)\"");
    static final HttpClient HTTP = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    static final SecureRandom RANDOM = new SecureRandom();

    record Waiting(String phone, String code) {}

    /** By ticket; in an application of several processes this is a database. */
    static final Map<String, Waiting> WAITING = new ConcurrentHashMap<>();

    static String environment(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }

    static String json(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    /** Sends a text and returns CodeResult: "100" if it was accepted. */
    static String send(String phone, String text) throws IOException, InterruptedException {
        String body = "{\"ApiKey\":" + json(environment("ESMS_API_KEY", ""))
            + ",\"SecretKey\":" + json(environment("ESMS_SECRET_KEY", ""))
            + ",\"Phone\":" + json(phone)
            + ",\"Content\":" + json(text)
            + ",\"Brandname\":\"Bocau\",\"SmsType\":\"2\",\"RequestId\":" + json(UUID.randomUUID().toString()) + "}";
        String base = environment("ESMS_BASE_URL", "https://rest.esms.vn");
        HttpRequest request = HttpRequest
            .newBuilder(URI.create(base + "/MainService.svc/json/SendMultipleMessage_V4_post_json/"))
            .timeout(Duration.ofSeconds(10))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        Matcher found = RESULT.matcher(HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body());
        return found.find() ? found.group(1) : "";
    }

    static void ask(HttpExchange exchange) throws IOException {
        String phone = member(exchange, "phone");
        String code = String.format("%06d", RANDOM.nextInt(1_000_000));
        String result;
        try {
            result = send(phone, String.format(TEXT, code));
        } catch (IOException | InterruptedException error) {
            result = "";
        }
        if (result.equals("100")) {
            String ticket = UUID.randomUUID().toString();
            WAITING.put(ticket, new Waiting(phone, code));
            exchange.getResponseHeaders().add("Set-Cookie", "ticket=" + ticket + "; HttpOnly; SameSite=Strict");
            answer(exchange, 200, "We have sent you a code.");
        } else if (result.equals("108")) {
            answer(exchange, 400, "This is no mobile number.");
        } else {
            answer(exchange, 503, "We cannot send a code just now.");
        }
    }

    static void enter(HttpExchange exchange) throws IOException {
        String cookie = exchange.getRequestHeaders().getFirst("Cookie");
        String ticket = cookie == null ? "" : cookie.replaceFirst(".*ticket=([^;]*).*", "$1");
        Waiting waiting = WAITING.remove(ticket); // it is good for one try
        byte[] given = member(exchange, "code").getBytes(StandardCharsets.UTF_8);
        if (waiting != null && MessageDigest.isEqual(waiting.code().getBytes(StandardCharsets.UTF_8), given)) {
            answer(exchange, 200, "Welcome, " + waiting.phone() + ".");
        } else {
            answer(exchange, 403, "This is not the code.");
        }
    }

    /** One member of a form. */
    static String member(HttpExchange exchange, String name) throws IOException {
        String form = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        for (String pair : form.split("&")) {
            if (pair.startsWith(name + "=")) {
                return URLDecoder.decode(pair.substring(name.length() + 1), StandardCharsets.UTF_8);
            }
        }
        return "";
    }

    static void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    public static void main(String[] arguments) throws IOException {
        int port = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 8000;
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/ask", Login::ask);
        server.createContext("/enter", Login::enter);
        server.start();
        System.out.println("listening on http://127.0.0.1:" + server.getAddress().getPort());
    }
}
