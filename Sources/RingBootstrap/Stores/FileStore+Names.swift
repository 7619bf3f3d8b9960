extension FileStore {
    /// The longest name of a file that Linux's file systems take.
    private static let longestName = 255

    /// The name of a key's file: `+` and the key with everything but letters, digits, `-`, `_` and `.` as
    /// `%` and two hexadecimal digits; `=` and the key in URL-safe Base64 where that would be too long.
    ///
    /// No key's name begins with a dot, holds a slash, or is another key's name.
    static func fileName(of key: String) -> String {
        var escaped = "+"
        for byte in key.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                escaped += "%" + hexadecimal(byte)
            }
        }
        return escaped.utf8.count <= longestName - 10 ? escaped : "=" + base64(key.utf8)
    }

    /// The key whose file has this name; nil for a file that is no key's.
    static func key(ofFile name: String) -> String? {
        let bytes = Array(name.utf8)
        switch bytes.first {
        case UInt8(ascii: "+"):
            var key: [UInt8] = []
            var index = 1
            while index < bytes.count {
                if bytes[index] == UInt8(ascii: "%") {
                    guard index + 2 < bytes.count,
                        let byte = UInt8(
                            String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
                    else { return nil }
                    key.append(byte)
                    index += 3
                } else {
                    key.append(bytes[index])
                    index += 1
                }
            }
            return String(validating: key, as: UTF8.self)
        case UInt8(ascii: "="):
            return bytesOfBase64(bytes.dropFirst()).flatMap { String(validating: $0, as: UTF8.self) }
        default:
            return nil
        }
    }

    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static func base64(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        var bits = 0
        var count = 0
        for byte in bytes {
            bits = (bits << 8 | Int(byte)) & 0xffff
            count += 8
            while count >= 6 {
                count -= 6
                text.append(digits[bits >> count & 63])
            }
        }
        if count > 0 { text.append(digits[bits << (6 - count) & 63]) }
        return String(decoding: text, as: UTF8.self)
    }

    private static func bytesOfBase64(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits = 0
        var count = 0
        for digit in text {
            guard let value = digits.firstIndex(of: digit) else { return nil }
            bits = (bits << 6 | value) & 0xffff
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bytes
    }
}
