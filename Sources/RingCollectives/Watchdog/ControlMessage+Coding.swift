import RingCore
import RingTransport

extension ControlMessage {
    /// The longest message that is accepted, in bytes.
    static let largestByteCount = 16 << 10

    /// The message as bytes; `Docs/WireProtocol.md` has the layout.
    var bytes: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .failed(let verdict):
            writer.put(UInt8(1))
            writer.put(verdict)
        case .suspect(let peer, let verdict):
            writer.put(UInt8(2))
            writer.put(UInt32(peer))
            writer.put(verdict)
        case .stalled(let status):
            writer.put(UInt8(3))
            writer.put(status)
        case .expiring(let status):
            writer.put(UInt8(4))
            writer.put(status)
        case .probe(let number):
            writer.put(UInt8(5))
            writer.put(number)
        case .status(let number, let status):
            writer.put(UInt8(6))
            writer.put(number)
            writer.put(status)
        case .verdict(let verdict):
            writer.put(UInt8(7))
            writer.put(verdict)
        case .goodbye: writer.put(UInt8(8))
        case .ready: writer.put(UInt8(9))
        }
        return writer.bytes
    }

    /// Reads ``bytes``; nil if they are not a message.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let kind = reader.number(UInt8.self) else { return nil }
        switch kind {
        case 1:
            guard let verdict = reader.verdict() else { return nil }
            self = .failed(verdict)
        case 2:
            guard let peer = reader.number(UInt32.self), let verdict = reader.verdict() else { return nil }
            self = .suspect(Rank(peer), verdict)
        case 3:
            guard let status = reader.status() else { return nil }
            self = .stalled(status)
        case 4:
            guard let status = reader.status() else { return nil }
            self = .expiring(status)
        case 5:
            guard let number = reader.number(UInt32.self) else { return nil }
            self = .probe(number)
        case 6:
            guard let number = reader.number(UInt32.self), let status = reader.status() else { return nil }
            self = .status(number, status)
        case 7:
            guard let verdict = reader.verdict() else { return nil }
            self = .verdict(verdict)
        case 8: self = .goodbye
        case 9: self = .ready
        default: return nil
        }
        guard reader.isAtEnd else { return nil }
    }
}

/// Puts numbers and texts one after the other, little-endian.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ text: String) {
        let utf8 = Array(text.utf8.prefix(4096))
        put(UInt16(utf8.count))
        bytes += utf8
    }

    /// The rank plus one; 0 for none.
    mutating func put(_ rank: Rank?) {
        put(rank.map { UInt32($0) + 1 } ?? 0)
    }

    mutating func put(_ verdict: Verdict) {
        put(verdict.isUrgent ? 1 : 0 as UInt8)
        put(verdict.culprit)
        put(verdict.code.rawValue)
        put(verdict.message)
    }

    mutating func put(_ status: OperationStatus) {
        put(status.sequence)
        put(status.waitingFor)
        put(status.received)
        put(status.timeoutMilliseconds)
        put(status.remainingMilliseconds)
        put(status.signature)
        put(status.previous)
    }

    /// A zero byte for none.
    mutating func put(_ signature: OperationSignature?) {
        guard let signature else {
            put(UInt8(0))
            return
        }
        put(signature.collective.rawValue)
        put(signature.dataType.rawValue)
        put(signature.op?.rawValue ?? 0)
        put(UInt64(signature.elementCount))
        put(signature.root)
        put(signature.algorithm.rawValue)
    }
}

/// Takes apart what ``ByteWriter`` put together; nil wherever the bytes do not fit.
struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    var remainder: [UInt8] { Array(rest) }

    mutating func number<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
        let size = MemoryLayout<Value>.size
        guard rest.count >= size else { return nil }
        defer { rest = rest.dropFirst(size) }
        return rest.prefix(size).reversed().reduce(0) { ($0 << 8) | Value(truncatingIfNeeded: $1) }
    }

    mutating func text() -> String? {
        guard let count = number(UInt16.self), rest.count >= Int(count) else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return String(decoding: rest.prefix(Int(count)), as: UTF8.self)
    }

    mutating func rank() -> Rank?? {
        guard let number = number(UInt32.self) else { return nil }
        return .some(number == 0 ? nil : Rank(number - 1))
    }

    mutating func verdict() -> Verdict? {
        guard let urgent = number(UInt8.self), let culprit = rank(), let code = text(), let message = text()
        else { return nil }
        return Verdict(
            code: CollectiveError.Code(rawValue: code), message: message, culprit: culprit, isUrgent: urgent != 0)
    }

    mutating func status() -> OperationStatus? {
        guard let sequence = number(UInt64.self), let waitingFor = rank(), let received = number(UInt64.self),
            let timeout = number(UInt64.self), let remaining = number(UInt64.self), let signature = signature(),
            let previous = self.signature()
        else { return nil }
        return OperationStatus(
            sequence: sequence, signature: signature, previous: previous, waitingFor: waitingFor,
            received: received, timeoutMilliseconds: timeout, remainingMilliseconds: remaining)
    }

    /// The outer nil: not a signature; the inner one: none.
    mutating func signature() -> OperationSignature?? {
        guard let code = number(UInt8.self) else { return nil }
        if code == 0 { return .some(nil) }
        guard let collective = Collective(rawValue: code),
            let dataType = number(UInt8.self).flatMap(DataType.init(rawValue:)), let op = number(UInt8.self),
            op == 0 || ReductionOperator(rawValue: op) != nil,
            let count = number(UInt64.self).flatMap(Int.init(exactly:)), let root = rank(),
            let algorithm = number(UInt32.self)
        else { return nil }
        return OperationSignature(
            collective: collective, dataType: dataType, op: ReductionOperator(rawValue: op), elementCount: count,
            root: root, algorithm: AlgorithmCode(rawValue: algorithm))
    }
}
