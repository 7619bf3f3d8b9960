import RingCore

/// A request of a store's client, as it stands in a frame.
enum StoreRequest: Equatable {
    case set(key: String, value: [UInt8])
    case setIfAbsent(key: String, value: [UInt8])
    case values(keys: [String], interruption: String?, milliseconds: UInt32)
    case remove(key: String)
    case removeAll(prefix: String)
    case leave(StoreWill)
    case withdraw(token: String)
}

/// A store's answer to a request.
enum StoreResponse: Equatable {
    case done
    case existing([UInt8])
    case values([[UInt8]])
    /// The indices of the missing keys.
    case missing([UInt32])
    case interrupted([UInt8])
    case count(UInt32)
    /// The request breaks a limit; says which.
    case refused(String)
    /// The store is being closed by its owner.
    case closing
}

/// The framing: a length of four bytes, little-endian, which does not count itself, then the body.
enum StoreFrame {
    static let headerBytes = 4
    /// The longest request: the largest number of the longest keys, and a little.
    static let requestBytes = 16 << 20
    /// The longest response.
    static let responseBytes = 1 << 30

    static func framed(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(UInt32(0))
        body(&writer)
        let length = UInt32(writer.bytes.count - headerBytes)
        withUnsafeBytes(of: length.littleEndian) { writer.bytes.replaceSubrange(0..<headerBytes, with: $0) }
        return writer.bytes
    }
}

extension StoreRequest {
    var frame: [UInt8] {
        StoreFrame.framed { writer in
            switch self {
            case .set(let key, let value):
                writer.integer(UInt8(1))
                writer.text(key)
                writer.block(value)
            case .setIfAbsent(let key, let value):
                writer.integer(UInt8(2))
                writer.text(key)
                writer.block(value)
            case .values(let keys, let interruption, let milliseconds):
                writer.integer(UInt8(3))
                writer.integer(milliseconds)
                writer.text(interruption ?? "")
                writer.integer(UInt32(keys.count))
                for key in keys { writer.text(key) }
            case .remove(let key):
                writer.integer(UInt8(4))
                writer.text(key)
            case .removeAll(let prefix):
                writer.integer(UInt8(5))
                writer.text(prefix)
            case .leave(let will):
                writer.integer(UInt8(6))
                writer.text(will.token)
                writer.text(will.key)
                writer.block(will.value)
            case .withdraw(let token):
                writer.integer(UInt8(7))
                writer.text(token)
            }
        }
    }

    init(body: [UInt8]) throws(WireError) {
        var reader = ByteReader(body)
        switch try reader.integer(UInt8.self) {
        case 1: self = .set(key: try reader.text(), value: try reader.block())
        case 2: self = .setIfAbsent(key: try reader.text(), value: try reader.block())
        case 3:
            let milliseconds = try reader.integer(UInt32.self)
            let interruption = try reader.text()
            let count = try reader.count(elementsOfAtLeast: 2)
            var keys: [String] = []
            keys.reserveCapacity(count)
            for _ in 0..<count { keys.append(try reader.text()) }
            self = .values(
                keys: keys, interruption: interruption.isEmpty ? nil : interruption,
                milliseconds: milliseconds)
        case 4: self = .remove(key: try reader.text())
        case 5: self = .removeAll(prefix: try reader.text())
        case 6:
            self = .leave(
                StoreWill(token: try reader.text(), key: try reader.text(), value: try reader.block()))
        case 7: self = .withdraw(token: try reader.text())
        case let kind: throw WireError(description: "there is no request of kind \(kind)")
        }
        try reader.end()
    }
}

extension StoreResponse {
    var frame: [UInt8] {
        StoreFrame.framed { writer in
            switch self {
            case .done: writer.integer(UInt8(0))
            case .existing(let value):
                writer.integer(UInt8(1))
                writer.block(value)
            case .values(let values):
                writer.integer(UInt8(2))
                writer.integer(UInt32(values.count))
                for value in values { writer.block(value) }
            case .missing(let indices):
                writer.integer(UInt8(3))
                writer.integer(UInt32(indices.count))
                for index in indices { writer.integer(index) }
            case .interrupted(let value):
                writer.integer(UInt8(4))
                writer.block(value)
            case .count(let count):
                writer.integer(UInt8(5))
                writer.integer(count)
            case .refused(let reason):
                writer.integer(UInt8(6))
                writer.text(reason)
            case .closing: writer.integer(UInt8(7))
            }
        }
    }

    init(body: [UInt8]) throws(WireError) {
        var reader = ByteReader(body)
        switch try reader.integer(UInt8.self) {
        case 0: self = .done
        case 1: self = .existing(try reader.block())
        case 2:
            let count = try reader.count(elementsOfAtLeast: 4)
            var values: [[UInt8]] = []
            values.reserveCapacity(count)
            for _ in 0..<count { values.append(try reader.block()) }
            self = .values(values)
        case 3:
            let count = try reader.count(elementsOfAtLeast: 4)
            var indices: [UInt32] = []
            indices.reserveCapacity(count)
            for _ in 0..<count { indices.append(try reader.integer(UInt32.self)) }
            self = .missing(indices)
        case 4: self = .interrupted(try reader.block())
        case 5: self = .count(try reader.integer(UInt32.self))
        case 6: self = .refused(try reader.text())
        case 7: self = .closing
        case let kind: throw WireError(description: "there is no response of kind \(kind)")
        }
        try reader.end()
    }
}
