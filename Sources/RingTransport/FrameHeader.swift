import RingCore

/// The 64 bytes in front of every frame's payload. `Docs/WireProtocol.md` has the layout.
///
/// It carries the sender's whole view of the operation, so that a receiver whose view differs finds out
/// before it takes a single byte of payload.
package struct FrameHeader: Hashable, Sendable {
    /// What a frame is for.
    package enum Kind: UInt8, Sendable {
        /// A piece of a collective's data.
        case data = 1
        /// A message between watchdogs.
        case control = 2
    }

    /// What the frame is for.
    package var kind: Kind
    /// The communicator, among those of the same job.
    package var communicator: UInt32
    /// How often the communicator has been rebuilt.
    package var epoch: UInt32
    /// The operation's number on its communicator, from 0.
    package var sequence: UInt64
    /// What the sender believes the operation to be.
    package var signature: OperationSignature
    /// Which of the plan's chunks the payload is from; where several channels share an operation, the transfer's number
    /// among those between the two ranks in this direction.
    package var chunk: UInt32
    /// Where in the transfer's bytes the payload starts.
    package var offset: UInt64
    /// The payload's length in bytes.
    package var length: UInt32
    /// How the payload is encoded: 0, as it is. A part of the signature.
    package var codec: UInt8 {
        get { signature.codec }
        set { signature.codec = newValue }
    }

    /// Creates a header.
    package init(
        kind: Kind, communicator: UInt32, epoch: UInt32, sequence: UInt64, signature: OperationSignature,
        chunk: UInt32 = 0, offset: UInt64 = 0, length: UInt32
    ) {
        self.kind = kind
        self.communicator = communicator
        self.epoch = epoch
        self.sequence = sequence
        self.signature = signature
        self.chunk = chunk
        self.offset = offset
        self.length = length
    }
}

extension FrameHeader {
    /// The size of a header on the wire.
    package static let byteCount = 64
    /// The version of this layout.
    package static let version: UInt8 = 2
    /// The first two bytes: `RC`.
    static let magic: UInt16 = 0x4352
    /// The code of "no root" and the largest root.
    private static let noRoot = UInt32.max

    /// Why 64 bytes are not a header.
    package enum DecodingError: Error, Hashable, CustomStringConvertible {
        case magic(UInt16)
        case version(UInt8)
        case checksum
        case field(String, UInt64)

        package var description: String {
            switch self {
            case .magic(let value):
                "the bytes do not start a frame (0x\(String(value, radix: 16)) where 0x4352 belongs)"
            case .version(let value):
                "the peer speaks version \(value) of the wire protocol, this is version \(FrameHeader.version)"
            case .checksum: "the frame header's checksum is wrong"
            case .field(let name, let value): "the frame header's \(name) cannot be \(value)"
            }
        }
    }

    /// Writes the header to 64 bytes.
    package func encode(to bytes: UnsafeMutableRawPointer) {
        func put<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
            bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
        }
        put(Self.magic, at: 0)
        put(Self.version, at: 2)
        put(kind.rawValue, at: 3)
        put(communicator, at: 4)
        put(epoch, at: 8)
        put(chunk, at: 12)
        put(sequence, at: 16)
        put(UInt64(signature.elementCount), at: 24)
        put(offset, at: 32)
        put(length, at: 40)
        put(signature.detail, at: 44)
        put(signature.collective.rawValue, at: 48)
        put(signature.dataType.rawValue, at: 49)
        put(signature.op?.rawValue ?? 0, at: 50)
        put(codec, at: 51)
        put(signature.root.map(UInt32.init) ?? Self.noRoot, at: 52)
        put(signature.algorithm.rawValue, at: 56)
        put(Self.checksum(UnsafeRawPointer(bytes)), at: 60)
    }

    /// Reads a header from 64 bytes.
    package init(decoding bytes: UnsafeRawPointer) throws(DecodingError) {
        func get<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value {
            Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
        }
        let magic = get(UInt16.self, at: 0)
        guard magic == Self.magic else { throw .magic(magic) }
        let version = get(UInt8.self, at: 2)
        guard version == Self.version else { throw .version(version) }
        guard get(UInt32.self, at: 60) == Self.checksum(bytes) else { throw .checksum }
        func code<Value: RawRepresentable>(
            _ type: Value.Type, _ name: String, at offset: Int
        ) throws(DecodingError) -> Value where Value.RawValue == UInt8 {
            let raw = get(UInt8.self, at: offset)
            guard let value = Value(rawValue: raw) else { throw .field(name, UInt64(raw)) }
            return value
        }
        kind = try code(Kind.self, "kind", at: 3)
        communicator = get(UInt32.self, at: 4)
        epoch = get(UInt32.self, at: 8)
        chunk = get(UInt32.self, at: 12)
        sequence = get(UInt64.self, at: 16)
        offset = get(UInt64.self, at: 32)
        length = get(UInt32.self, at: 40)
        let count = get(UInt64.self, at: 24)
        guard let elementCount = Int(exactly: count) else { throw .field("element count", count) }
        let root = get(UInt32.self, at: 52)
        signature = OperationSignature(
            collective: try code(Collective.self, "collective", at: 48),
            dataType: try code(DataType.self, "data type", at: 49),
            op: get(UInt8.self, at: 50) == 0 ? nil : try code(ReductionOperator.self, "op", at: 50),
            elementCount: elementCount,
            root: root == Self.noRoot ? nil : Int(root),
            algorithm: AlgorithmCode(rawValue: get(UInt32.self, at: 56)),
            detail: get(UInt32.self, at: 44), codec: get(UInt8.self, at: 51))
    }

    /// The payload's length that 64 bytes tell, if they are a header.
    package static func length(of bytes: UnsafeRawPointer) -> Int {
        Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 40, as: UInt32.self)))
    }

    /// A sum over the first 60 bytes: other bytes than a header's have the right one once in 2^32 times.
    private static func checksum(_ bytes: UnsafeRawPointer) -> UInt32 {
        var sum = HeaderSum()
        sum.add(bytes, 0..<56)
        return sum.value(behind: bytes)
    }
}
