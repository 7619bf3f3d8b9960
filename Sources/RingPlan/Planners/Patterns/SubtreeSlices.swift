import RingCore

/// Where a rank keeps the shares of the ranks below it in a binomial tree: one after the other in scratch, from its
/// own on, in the order of their numbers.
struct SubtreeSlices {
    private let tree: BinomialTree
    private let chunks: Chunks

    init(_ tree: BinomialTree, chunks: Chunks) {
        self.tree = tree
        self.chunks = chunks
    }

    /// The shares of consecutive numbers, in one slice or, where ranks go on past n-1, two.
    func slices(of numbers: Range<Int>) -> [Slice] {
        var start = count(of: tree.number..<numbers.lowerBound)
        return tree.ranks(numbers).map { ranks in
            let end = start + chunks.elements(of: ranks).count
            defer { start = end }
            return Slice(.scratch, chunks: ranks, start..<end)
        }
    }

    private func count(of numbers: Range<Int>) -> Int {
        guard !numbers.isEmpty else { return 0 }
        return tree.ranks(numbers).reduce(0) { $0 + chunks.elements(of: $1).count }
    }
}
