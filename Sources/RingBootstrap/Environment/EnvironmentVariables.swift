import RingCore
import RingSystem

/// Reads variables, and says which is wrong and how.
struct EnvironmentVariables {
    private let values: [String: String]

    init(_ values: [String: String]) {
        self.values = values
    }

    /// A number and the variable that it came from.
    struct Number: Equatable {
        var name: String
        var value: Int
    }

    subscript(name: String) -> String? { values[name] }

    func has(_ name: String) -> Bool { values[name] != nil }

    /// A variable's text, which must not be empty.
    func text(_ name: String) throws -> String? {
        guard let text = values[name] else { return nil }
        guard !text.isEmpty else { throw error("\(name) is set but empty; give it a value or unset it") }
        return text
    }

    /// The number of the first of these variables that is set.
    func number(_ names: String...) throws -> Number? {
        guard let name = names.first(where: has), let text = values[name] else { return nil }
        guard let value = Int(text) else {
            throw error("\(name) is \"\(oneLine(text))\", which is not a number")
        }
        guard value >= 0 else { throw error("\(name) is \(value), which is negative") }
        return Number(name: name, value: value)
    }

    /// The number that must be there because `companion` is.
    func number(_ names: [String], besides companion: String) throws -> Number {
        for name in names {
            if let number = try number(name) { return number }
        }
        throw error(
            "\(companion) is set (\(oneLine(values[companion] ?? ""))) but \(names[0]) is not; set both or "
                + "neither"
        )
    }

    func port(_ name: String) throws -> UInt16? {
        guard let number = try number(name) else { return nil }
        guard let port = UInt16(exactly: number.value), port > 0 else {
            throw error("\(name) is \(number.value), which is not a port: ports are 1 to 65535")
        }
        return port
    }

    func error(_ message: String) -> CollectiveError {
        CollectiveError(.invalidConfiguration, message)
    }

    /// The secret itself, or what a file says without the line end.
    func jobSecret() throws -> [UInt8]? {
        if let secret = try text("RING_JOB_SECRET") {
            guard !has("RING_JOB_SECRET_FILE") else {
                throw error("RING_JOB_SECRET and RING_JOB_SECRET_FILE are both set; unset one")
            }
            return Array(secret.utf8)
        }
        guard let path = try text("RING_JOB_SECRET_FILE") else { return nil }
        var secret: [UInt8]
        do {
            secret = try FileDescriptor.open(path).contents(atMost: 65_536)
        } catch let failure {
            throw error("RING_JOB_SECRET_FILE is \(oneLine(path)), which cannot be read: \(failure.reason)")
        }
        while let last = secret.last, last == 10 || last == 13 { secret.removeLast() }
        guard !secret.isEmpty else {
            throw error("RING_JOB_SECRET_FILE is \(oneLine(path)), which holds no secret: it is empty")
        }
        return secret
    }
}
