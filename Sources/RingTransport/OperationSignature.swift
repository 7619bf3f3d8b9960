package import RingCore

/// What a rank believes the current operation to be. All ranks must believe the same.
///
/// Every frame carries the sender's; the receiver holds it against its own.
package struct OperationSignature: Hashable, Sendable {
    /// Which collective.
    package var collective: Collective
    /// The type of its elements.
    package var dataType: DataType
    /// How they are combined, where the collective combines them.
    package var op: ReductionOperator?
    /// How many elements the whole collective has.
    package var elementCount: Int
    /// The root, where the collective has one.
    package var root: Rank?
    /// The code of the algorithm, see ``AlgorithmCode``.
    package var algorithm: AlgorithmCode
    /// What else the ranks must agree on: a digest of the elements a rank in a collective of variable counts, the
    /// tag of a message between two ranks, ``byCounts``; else 0.
    package var detail: UInt32
    /// The code of the elements' compression, see `Compression`; 0 for none.
    package var codec: UInt8

    /// The detail of a gather, scatter or all-to-all whose counts each rank knows as far as they concern it. The
    /// element count is that of a single transfer then, and 0 where no transfer is meant.
    package static let byCounts = UInt32.max

    /// Creates a signature.
    package init(
        collective: Collective, dataType: DataType, op: ReductionOperator?, elementCount: Int, root: Rank?,
        algorithm: AlgorithmCode, detail: UInt32 = 0, codec: UInt8 = 0
    ) {
        self.collective = collective
        self.dataType = dataType
        self.op = op
        self.elementCount = elementCount
        self.root = root
        self.algorithm = algorithm
        self.detail = detail
        self.codec = codec
    }

    /// Whether the operation is a message between two ranks, of which the others know nothing.
    package var isMessage: Bool { collective == .sendReceive }

    /// The digest of the elements a rank: other counts have another one, to all intents, and it is never 0.
    package static func digest(ofCounts counts: [Int]) -> UInt32 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for count in counts { hash = (hash ^ UInt64(count)) &* 0x0000_0100_0000_01B3 }
        return UInt32(truncatingIfNeeded: hash ^ (hash >> 32)) | 1
    }
}

extension OperationSignature: CustomStringConvertible {
    /// The call as its caller would say it: `all-reduce of 1000 float32, sum (ring)`.
    package var description: String {
        if algorithm == .split || algorithm == .duplicate { return "\(algorithm)" }
        if collective == .barrier { return "barrier (\(algorithm))" }
        let isByCounts = detail == Self.byCounts && collective != .sendReceive
        let count = isByCounts && elementCount == 0 ? "" : "\(elementCount) "
        var text = "\(collective.name) of \(count)\(dataType.name)"
        if collective == .sendReceive { return text + ", tag \(detail)" }
        if detail != 0 { text += isByCounts ? " by counts" : " in counts \(String(detail, radix: 16))" }
        if let op { text += ", \(op.name)" }
        if let root { text += ", root \(root)" }
        if codec != 0 { text += ", \(Compression.name(ofCode: codec))" }
        return text + " (\(algorithm))"
    }
}

/// An algorithm's name in 32 bits: its FNV-1a hash, so that the wire needs no registry; or that of a text of plans.
package struct AlgorithmCode: Hashable, Sendable, CustomStringConvertible {
    /// The hash.
    package var rawValue: UInt32

    /// The code with this value, as read from the wire.
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The code of an algorithm's name.
    package init(name: String) {
        var name = name
        rawValue = name.withUTF8 { bytes in
            var hash: UInt32 = 0x811C_9DC5
            for byte in bytes { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
            return hash
        }
    }

    /// What is exchanged when a communicator is split, and when it is duplicated: no algorithms of a program's choice.
    package static let split = AlgorithmCode(name: "split")
    package static let duplicate = AlgorithmCode(name: "duplicate")

    /// The names that a code can be turned back into.
    private static let known = Dictionary(
        uniqueKeysWithValues: [
            "ring", "bidirectional-ring", "pipelined-ring", "binomial-tree", "double-binary-tree",
            "dissemination", "recursive-doubling", "halving-doubling", "direct", "bruck", "pairwise", "none",
            "split", "duplicate",
        ].map { (AlgorithmCode(name: $0), $0) })

    package var description: String {
        Self.known[self] ?? "plans \(String(rawValue, radix: 16))"
    }
}
