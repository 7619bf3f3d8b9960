/// A JSON value whose objects keep the order of their names.
enum JSONValue: Equatable, Sendable {
    case string(String)
    case integer(Int)
    case number(Double)
    case boolean(Bool)
}

extension JSONValue {
    /// The value as JSON text on one line. A number that JSON cannot express is `null`.
    var text: String {
        switch self {
        case .string(let string): Self.quoted(string)
        case .integer(let integer): "\(integer)"
        case .number(let number): Self.text(number) ?? "null"
        case .boolean(let boolean): "\(boolean)"
        }
    }

    /// The value as a field of CSV (RFC 4180): quoted only where it must be.
    var csvField: String {
        guard case .string(let string) = self else { return text }
        let needsQuotes = string.contains { ",\"\r\n".contains($0) || $0.isNewline }
        guard needsQuotes else { return string }
        return "\""
            + string.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\""
    }

    /// An object of these members as JSON text on one line.
    static func object(_ members: [(name: String, value: JSONValue)]) -> String {
        "{\(self.members(members))}"
    }

    /// The inside of such an object.
    static func members(_ members: [(name: String, value: JSONValue)]) -> String {
        members.map { "\(quoted($0.name)): \($0.value.text)" }.joined(separator: ", ")
    }

    /// Six digits after the point: a picosecond for times, a kilobyte a second for speeds.
    private static func text(_ number: Double) -> String? {
        guard number.isFinite else { return nil }
        let rounded = (number * 1e6).rounded() / 1e6
        return "\(rounded.isFinite ? rounded : number)"
    }

    private static func quoted(_ string: String) -> String {
        var result = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{20}"...: result.unicodeScalars.append(scalar)
            default:
                let code = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - code.count) + code
            }
        }
        return result + "\""
    }
}
