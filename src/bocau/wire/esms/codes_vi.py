"""The codes in Vietnamese: what each means and what to do, for people who do not read English. Same rows as `CODES`."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from bocau.wire.esms.codes import CODES, Code

__all__ = ["IN_VIETNAMESE", "Explained"]


class Explained(NamedTuple):
    """A code in words."""

    name: str
    cause: str
    fix: str


_ROWS: Final[Mapping[str, Explained]] = {
    "99": Explained(
        "số bị chặn",
        "Số nhận nằm trong danh sách chặn, hoặc số này hay các số lân cận đã được gửi đến quá nhiều lần.",
        "Chờ đúng thời gian ghi trong lý do, gỡ số khỏi danh sách chặn, hoặc nâng giới hạn của tài khoản.",
    ),
    "100": Explained(
        "đã nhận",
        "Yêu cầu đã được nhận; tin nhắn đã được lưu và sẽ được gửi.",
        "Không cần làm gì. Kết quả đến qua callback hoặc truy vấn trạng thái.",
    ),
    "101": Explained(
        "sai khóa",
        "ApiKey hoặc SecretKey thiếu, sai, đã bị tắt hoặc hết hạn, hoặc khóa không có quyền này.",
        "Kiểm tra cả hai khóa; hệ thống không cho biết khóa nào sai.",
    ),
    "102": Explained(
        "chưa có giá",
        "Tài khoản chưa có giá cho loại tin và mạng này.",
        "Thêm giá cho loại tin và mạng vào tài khoản.",
    ),
    "103": Explained(
        "không đủ tiền",
        "Số dư và hạn mức không đủ trả cho tin nhắn, hoặc mức chi trong ngày đã hết.",
        "Nạp thêm tiền vào tài khoản; nếu là mức chi trong ngày, chờ đến nửa đêm giờ Việt Nam hoặc nâng mức.",
    ),
    "104": Explained(
        "không có brandname",
        "Brandname thiếu, chưa đăng ký cho tài khoản, chưa được kích hoạt, hoặc không phải của khóa này.",
        "Đăng ký và kích hoạt Brandname, viết đúng như đã đăng ký.",
    ),
    "105": Explained(
        "không có mã tin",
        "Tài khoản không có tin nào mang mã này, tin đã quá 7 ngày, hoặc là mã của chế độ thử (sandbox).",
        "Truy vấn bằng SMSID trong câu trả lời, trong vòng 7 ngày.",
    ),
    "106": Explained("không có bản ghi âm", "Bản ghi âm không tồn tại.", "Dùng mã của một bản ghi âm có thật."),
    "107": Explained("quá ít số", "Tin quảng cáo có ít hơn 30 số hợp lệ khác nhau.", "Gửi đến ít nhất 30 số."),
    "108": Explained(
        "số sai dạng",
        "Phone thiếu hoặc không phải số di động Việt Nam.",
        "Gửi mười chữ số bắt đầu bằng 0, hoặc cùng số ấy với +84.",
    ),
    "110": Explained(
        "giá trị sai",
        "Một giá trị thiếu hoặc không dùng được: Content, SendDate, hoặc không có mã để đọc.",
        "Sửa tham số mà thông báo nêu tên.",
    ),
    "117": Explained("mã không đúng", "Mã sai, đã dùng hoặc đã hết hạn.", "Hỏi lại người dùng, hoặc gửi mã mới."),
    "118": Explained(
        "loại tin không hỗ trợ", "SmsType hoặc thao tác này không được phục vụ ở đây.", "Dùng SmsType 2 hoặc 8."
    ),
    "119": Explained("quá ít số (cũ)", "Mã của các phiên bản API cũ.", "Xem mã 107."),
    "120": Explained(
        "quá nhiều số", "Một yêu cầu có nhiều số hơn mức cho phép.", "Chia danh sách thành nhiều yêu cầu."
    ),
    "124": Explained(
        "trùng RequestId",
        "Một yêu cầu với RequestId này đã được nhận trong 24 giờ qua, hoặc (theo cài đặt) cùng nội dung đến cùng số.",
        "Nếu là gửi lại thì không cần làm gì: yêu cầu đầu tiên có hiệu lực. Nếu không, dùng RequestId mới.",
    ),
    "131": Explained("tin quảng cáo quá dài (cũ)", "Mã của các phiên bản API cũ.", "Rút ngắn nội dung."),
    "132": Explained("không có quyền dùng số cố định (cũ)", "Mã của các phiên bản API cũ.", "Dùng loại tin khác."),
    "140": Explained(
        "địa chỉ không được phép",
        "Địa chỉ IP của nơi gọi không có trong danh sách của tài khoản hoặc của khóa.",
        "Thêm địa chỉ vào danh sách.",
    ),
    "143": Explained("tài khoản bị khóa", "Khóa đúng nhưng tài khoản không hoạt động.", "Kích hoạt tài khoản."),
    "146": Explained(
        "sai mẫu tin",
        "Nội dung không khớp mẫu nào đã đăng ký cho Brandname trên mạng của số nhận.",
        "Gửi đúng như mẫu đã đăng ký, hoặc đăng ký mẫu cho nội dung này. Tiêu đề X-Bocau-Reason cho biết sai ở đâu.",
    ),
    "159": Explained(
        "RequestId quá dài", "RequestId dài hơn 120 ký tự.", "Dùng RequestId ngắn hơn; 50 ký tự thì nơi nào cũng nhận."
    ),
    "160": Explained("quá nhanh", "Số yêu cầu mỗi giây vượt mức của khóa.", "Gửi chậm lại rồi thử lần nữa."),
    "163": Explained("chỉ một số", "Yêu cầu loại 8 có nhiều hơn một số.", "Gửi mỗi số một yêu cầu."),
    "171": Explained(
        "mã đã dùng", "Mã đã dùng, hết hạn, hoặc không phải của số này.", "bocau trả về 117 thay cho mã này."
    ),
    "177": Explained(
        "chưa đăng ký trên mạng",
        "Brandname chưa có mẫu tin trên mạng của số nhận.",
        "Đăng ký Brandname và các mẫu tin trên mạng đó.",
    ),
    "199": Explained(
        "đang xử lý", "Cùng một đăng ký, hoặc quá nhiều đăng ký của tài khoản, đang chờ duyệt.", "Chờ kết quả duyệt."
    ),
    "201": Explained("từ khóa bị chặn", "Nội dung có từ khóa bị chặn.", "Sửa nội dung."),
    "300": Explained("thiếu loại tin", "Yêu cầu không có SmsType.", "Gửi SmsType 2 hoặc 8."),
    "301": Explained("dịch vụ không hỗ trợ", "ServiceType khác 2.", "Gửi ServiceType 2."),
}


def _explained(row: Code) -> Explained:
    """The row's words; those of Zalo share theirs."""
    return _ROWS.get(row.code) or Explained(row.name, "Mã của yêu cầu Zalo.", "Gửi SMS thay cho Zalo.")


IN_VIETNAMESE: Final[Mapping[str, Explained]] = {code: _explained(row) for code, row in CODES.items()}
"""By code, in the order of `CODES`."""
