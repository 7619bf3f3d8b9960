/// The even split of a number of elements into consecutive parts.
///
/// The first `count % parts` parts hold one element more than the rest. Collectives split a buffer in this way
/// into *chunks*, one a rank.
public struct Partition: Sendable, Hashable {
    /// How many elements there are in all.
    public let count: Int
    /// How many parts they are split into, at least one.
    public let parts: Int

    /// Splits `count` elements into `parts` parts.
    public init(count: Int, parts: Int) {
        precondition(count >= 0 && parts >= 1, "a partition needs a count of 0 or more and at least one part")
        self.count = count
        self.parts = parts
    }

    /// The elements of one part.
    public subscript(part: Int) -> Range<Int> {
        precondition(part >= 0 && part < parts, "part \(part) of \(parts)")
        let (size, larger) = count.quotientAndRemainder(dividingBy: parts)
        let start = part * size + min(part, larger)
        return start..<(start + size + (part < larger ? 1 : 0))
    }

    /// The size of the largest part.
    public var largest: Int { self[0].count }
}
