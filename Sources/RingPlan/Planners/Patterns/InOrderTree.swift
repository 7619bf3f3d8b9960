/// A binary tree over positions 0 to n-1 in which every subtree is a run of consecutive positions.
///
/// Position 0 is the root and has one child. Below it, a position's *level* is the number of zero bits at the end of
/// its number: odd positions are leaves, and a position of level l has children 2^(l-1) before and after it, or,
/// where that is past the end, less far after it. So half of the positions are leaves, and the tree is ⌈log2 n⌉
/// deep.
struct InOrderTree {
    /// How many positions there are.
    let size: Int
    /// The level of the root: ⌈log2 n⌉.
    let depth: Int

    init(size: Int) {
        self.size = size
        depth = Int.bitWidth - (size - 1).leadingZeroBitCount
    }

    /// How many levels a position is above the lowest; a parent's is higher than its children's.
    func level(of position: Int) -> Int {
        position == 0 ? depth : position.trailingZeroBitCount
    }

    /// The parent of a position; nil at the root.
    func parent(of position: Int) -> Int? {
        guard position > 0 else { return nil }
        let bit = 1 << position.trailingZeroBitCount
        let before = position - bit
        // A position is the child before its parent or the child after it, as the next bit says.
        let after = position + bit
        return position & (2 * bit) == 0 && after < size ? after : before
    }

    /// The children of a position, in order: up to two, or one of the root.
    func children(of position: Int) -> [Int] {
        guard size > 1 else { return [] }
        guard position > 0 else { return [1 << (depth - 1)] }
        var distance = (1 << position.trailingZeroBitCount) / 2
        guard distance > 0 else { return [] }
        var children = [position - distance]
        while distance > 0, position + distance >= size { distance >>= 1 }
        if distance > 0 { children.append(position + distance) }
        return children
    }
}
