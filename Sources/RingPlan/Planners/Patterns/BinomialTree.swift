package import RingCore

/// A binomial tree over all ranks, as one of them sees it.
///
/// Ranks are *numbered* from the root on, around the ring. A rank's parent is its number without the lowest set
/// bit, and its children are its number with one of the bits below that, so that the subtree of a rank is the
/// numbers from its own up to the next one with as many zero bits at its end.
package struct BinomialTree {
    private let worldSize: Int
    private let root: Rank
    /// This rank's number.
    package let number: Int
    /// The lowest bit that is set in the number, or, at the root, the first power of two that is not below n.
    private let lowestBit: Int

    /// The tree over the ranks of a request, from a root.
    package init(_ request: PlanRequest, root: Rank) {
        worldSize = request.worldSize
        self.root = root
        number = (request.rank + worldSize - root) % worldSize
        var bit = 1
        while bit < worldSize, number & bit == 0 { bit <<= 1 }
        lowestBit = bit
    }

    /// The number of the parent; nil at the root.
    package var parent: Int? { number == 0 ? nil : number - lowestBit }

    /// The numbers of the children, that with the smallest subtree first.
    package var children: [Int] {
        var children: [Int] = []
        var bit = 1
        while bit < lowestBit, number + bit < worldSize {
            children.append(number + bit)
            bit <<= 1
        }
        return children
    }

    /// The numbers in this rank's own subtree.
    package var subtree: Range<Int> { number..<min(number + lowestBit, worldSize) }

    /// The numbers in a child's subtree.
    package func subtree(of child: Int) -> Range<Int> {
        child..<min(child + (child - number), worldSize)
    }

    /// The rank with a number.
    package func rank(_ number: Int) -> Rank { (number + root) % worldSize }

    /// The ranks with these numbers: one run of consecutive ranks, or two, where they go on past rank n-1.
    package func ranks(_ numbers: Range<Int>) -> [Range<Rank>] {
        let (start, end) = (numbers.lowerBound + root, numbers.upperBound + root)
        if end <= worldSize { return [start..<end] }
        if start >= worldSize { return [start - worldSize..<end - worldSize] }
        return [start..<worldSize, 0..<end - worldSize]
    }
}
