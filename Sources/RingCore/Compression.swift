/// How a collective's elements are encoded on their way between ranks.
///
/// All ranks must ask for the same. The result is the same on all of them, bit for bit, whatever is asked for; that of
/// a lossy method differs from the uncompressed one by no more than `Docs/Compression.md` says.
public struct Compression: Sendable, Hashable {
    /// What the elements are encoded as.
    public enum Method: UInt8, Sendable, Hashable, CaseIterable {
        /// As they are.
        case none = 0
        /// IEEE 754 binary16: half the bytes. Numbers beyond 65,504 become infinite.
        case float16 = 1
        /// The upper halves of the float32: half the bytes, the whole range, 8 bits of precision.
        case bfloat16 = 2
        /// A byte an element, and a scale for each block: a quarter of the bytes.
        case int8 = 3
        /// Half a byte an element, and a scale for each block: little more than an eighth of the bytes.
        case int4 = 4
        /// LZ4, without loss, for elements of any type.
        case lz4 = 5
    }

    /// How an element between two numbers that can be sent is rounded.
    public enum Rounding: Sendable, Hashable {
        /// To the nearest, ties to even.
        case nearest
        /// To one of the two, more likely to the nearer, so that the error is zero on average. The same seed gives the
        /// same results.
        case stochastic(seed: UInt64)
    }

    /// What the elements are encoded as.
    public let method: Method
    /// The elements that share a scale; 1 for methods without scales.
    public let blockSize: Int
    /// How elements are rounded. Only int8 and int4 round stochastically.
    public let rounding: Rounding
    /// Whether what comes out is compressed with LZ4 besides.
    public private(set) var hasSecondStage = false

    private init(_ method: Method, blockSize: Int = 1, rounding: Rounding = .nearest) {
        self.method = method
        self.blockSize = blockSize
        self.rounding = rounding
    }

    /// No compression.
    public static let none = Compression(.none)
    /// Casts to IEEE 754 binary16.
    public static let float16 = Compression(.float16)
    /// Casts to bfloat16.
    public static let bfloat16 = Compression(.bfloat16)
    /// LZ4.
    public static let lz4 = Compression(.lz4)

    /// A byte an element.
    ///
    /// - Parameter blockSize: A power of two from 32 to 4,096. The default has loops of its own and is several times as
    ///   fast as others.
    public static func int8(blockSize: Int = 256, rounding: Rounding = .nearest) -> Compression {
        Compression(.int8, blockSize: checked(blockSize), rounding: rounding)
    }

    /// Half a byte an element.
    ///
    /// - Parameter blockSize: As for ``int8(blockSize:rounding:)``.
    public static func int4(blockSize: Int = 64, rounding: Rounding = .nearest) -> Compression {
        Compression(.int4, blockSize: checked(blockSize), rounding: rounding)
    }

    private static func checked(_ blockSize: Int) -> Int {
        precondition(
            (32...4096).contains(blockSize) && blockSize & (blockSize - 1) == 0,
            "a block must have 32, 64, ... or 4,096 elements, not \(blockSize)")
        return blockSize
    }

    /// The same, with LZ4 behind it: for gradients most of whose elements are rounded to zero.
    public func followedByLZ4() -> Compression {
        var copy = self
        copy.hasSecondStage = method != .none && method != .lz4
        return copy
    }
}

extension Compression {
    /// Whether elements arrive as they were sent.
    public var isLossless: Bool { method == .none || method == .lz4 }

    /// Whether elements of a type can be compressed so.
    public func accepts(_ dataType: DataType) -> Bool { isLossless || dataType == .float32 }

    /// The bytes of a float32 on the wire, as far as that does not depend on it.
    package var bytesPerElement: Double? {
        switch method {
        case .none, .lz4: nil
        case .float16, .bfloat16: 2
        case .int8: 1 + 4 / Double(blockSize)
        case .int4: 0.5 + 2 / Double(blockSize)
        }
    }

    /// Whether anything of it needs liblz4.
    package var needsLZ4: Bool { method == .lz4 || hasSecondStage }

    /// What frames carry: the method in bits 0 to 2, the second stage in bit 3, the binary logarithm of the block's
    /// elements in bits 4 to 7.
    package var code: UInt8 {
        method.rawValue | (hasSecondStage ? 8 : 0) | UInt8(blockSize.trailingZeroBitCount) << 4
    }

    /// The compression with a code, to nearest; nil if there is none of the package's.
    package init?(code: UInt8) {
        guard let method = Method(rawValue: code & 7) else { return nil }
        self.init(method, blockSize: 1 << Int(code >> 4))
        if code & 8 != 0 { self = followedByLZ4() }
        guard self.code == code else { return nil }
    }

    /// What to call a code in messages.
    package static func name(ofCode code: UInt8) -> String {
        Compression(code: code)?.name ?? "codec \(code)"
    }

    /// The name in text, as command lines take it: `none`, `int8`, `int4+lz4`. Blocks of other sizes than the default
    /// are named with it: `int8/512`.
    public var name: String {
        var name = "\(method)"
        if blockSize != Self.defaultBlockSize(method) { name += "/\(blockSize)" }
        return hasSecondStage ? name + "+lz4" : name
    }

    /// The compression with a name as command lines take it, or nil.
    public init?(name: String) {
        let parts = name.split(separator: "+", omittingEmptySubsequences: false)
        guard parts.count == 1 || (parts.count == 2 && parts[1] == "lz4"), let first = parts.first,
            let method = Method.allCases.first(where: { "\($0)" == first })
        else { return nil }
        self.init(method, blockSize: Self.defaultBlockSize(method))
        if parts.count == 2 {
            self = followedByLZ4()
            guard hasSecondStage else { return nil }
        }
    }

    private static func defaultBlockSize(_ method: Method) -> Int {
        switch method {
        case .int8: 256
        case .int4: 64
        default: 1
        }
    }
}
