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
            writer.integer(UInt8(1))
            writer.put(verdict)
        case .suspect(let peer, let verdict):
            writer.integer(UInt8(2))
            writer.integer(UInt32(peer))
            writer.put(verdict)
        case .stalled(let status):
            writer.integer(UInt8(3))
            writer.put(status)
        case .expiring(let status):
            writer.integer(UInt8(4))
            writer.put(status)
        case .probe(let number):
            writer.integer(UInt8(5))
            writer.integer(number)
        case .status(let number, let status):
            writer.integer(UInt8(6))
            writer.integer(number)
            writer.put(status)
        case .verdict(let verdict):
            writer.integer(UInt8(7))
            writer.put(verdict)
        case .goodbye: writer.integer(UInt8(8))
        case .ready: writer.integer(UInt8(9))
        }
        return writer.bytes
    }

    /// Reads ``bytes``; throws what is wrong if they are not a message.
    init(_ bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        switch try reader.integer(UInt8.self) {
        case 1: self = .failed(try reader.verdict())
        case 2: self = .suspect(Rank(try reader.integer(UInt32.self)), try reader.verdict())
        case 3: self = .stalled(try reader.status())
        case 4: self = .expiring(try reader.status())
        case 5: self = .probe(try reader.integer(UInt32.self))
        case 6: self = .status(try reader.integer(UInt32.self), try reader.status())
        case 7: self = .verdict(try reader.verdict())
        case 8: self = .goodbye
        case 9: self = .ready
        case let kind: throw WireError(description: "there is no control message of kind \(kind)")
        }
        try reader.end()
    }
}

extension ByteWriter {
    /// The rank plus one; 0 for none.
    fileprivate mutating func put(_ rank: Rank?) {
        integer(rank.map { UInt32($0) + 1 } ?? 0)
    }

    fileprivate mutating func put(_ verdict: Verdict) {
        integer(verdict.isUrgent ? 1 : 0 as UInt8)
        put(verdict.culprit)
        // Together well within the longest message.
        text(verdict.code.rawValue, atMost: 4096)
        text(verdict.message, atMost: 4096)
    }

    fileprivate mutating func put(_ status: OperationStatus) {
        integer(status.sequence)
        put(status.waitingFor)
        integer(status.received)
        integer(status.timeoutMilliseconds)
        integer(status.remainingMilliseconds)
        put(status.signature)
        put(status.previous)
    }

    /// A zero byte for none.
    fileprivate mutating func put(_ signature: OperationSignature?) {
        guard let signature else {
            integer(UInt8(0))
            return
        }
        integer(signature.collective.rawValue)
        integer(signature.dataType.rawValue)
        integer(signature.op?.rawValue ?? 0)
        integer(UInt64(signature.elementCount))
        put(signature.root)
        integer(signature.algorithm.rawValue)
        integer(signature.detail)
        integer(signature.codec)
    }
}

extension ByteReader {
    fileprivate mutating func rank() throws(WireError) -> Rank? {
        let number = try integer(UInt32.self)
        return number == 0 ? nil : Rank(number - 1)
    }

    fileprivate mutating func verdict() throws(WireError) -> Verdict {
        let isUrgent = try integer(UInt8.self) != 0
        let culprit = try rank()
        let code = CollectiveError.Code(rawValue: try text())
        return Verdict(code: code, message: try text(), culprit: culprit, isUrgent: isUrgent)
    }

    fileprivate mutating func status() throws(WireError) -> OperationStatus {
        let sequence = try integer(UInt64.self)
        let waitingFor = try rank()
        let received = try integer(UInt64.self)
        let timeout = try integer(UInt64.self)
        let remaining = try integer(UInt64.self)
        return OperationStatus(
            sequence: sequence, signature: try signature(), previous: try signature(), waitingFor: waitingFor,
            received: received, timeoutMilliseconds: timeout, remainingMilliseconds: remaining)
    }

    /// Nil for none.
    fileprivate mutating func signature() throws(WireError) -> OperationSignature? {
        let code = try integer(UInt8.self)
        if code == 0 { return nil }
        let type = try integer(UInt8.self)
        let op = try integer(UInt8.self)
        guard let collective = Collective(rawValue: code), let dataType = DataType(rawValue: type),
            op == 0 || ReductionOperator(rawValue: op) != nil,
            let count = Int(exactly: try integer(UInt64.self))
        else { throw WireError(description: "there is no operation of \(code), \(type) and \(op)") }
        return OperationSignature(
            collective: collective, dataType: dataType, op: ReductionOperator(rawValue: op),
            elementCount: count,
            root: try rank(), algorithm: AlgorithmCode(rawValue: try integer(UInt32.self)),
            detail: try integer(UInt32.self), codec: try integer(UInt8.self))
    }
}
