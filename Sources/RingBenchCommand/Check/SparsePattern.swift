/// Another pattern, so many percent of whose elements are zero, on all ranks the same ones: what many gradients are like.
struct SparsePattern<Base: ElementPattern>: ElementPattern {
    typealias Bits = Base.Bits

    let base: Base
    let sparsity: Sparsity

    @inline(__always)
    func input(rank: Int, index: Int) -> Bits {
        sparsity.isZero(index) ? 0 : base.input(rank: rank, index: index)
    }

    @inline(__always)
    func expected(index: Int) -> Bits {
        sparsity.isZero(index) ? 0 : base.expected(index: index)
    }

    func text(_ bits: Bits) -> String { base.text(bits) }
}

/// Which elements are zero.
struct Sparsity: Sendable {
    /// How many of a hundred.
    let percent: Int
    private let hash: ElementHash

    init(percent: Int, salt: UInt64) {
        self.percent = percent
        // Not the numbers that the elements themselves are made of.
        hash = ElementHash(salt: ~salt)
    }

    @inline(__always)
    func isZero(_ index: Int) -> Bool { ElementHash.position(hash(index), below: 100) < percent }
}
