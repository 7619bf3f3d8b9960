/// What each rank puts in, and what comes out of it, for every element: known in closed form.
///
/// Values are chosen so that the result is exact in the element's type whatever the order in which ranks are
/// combined, so a check compares bits and needs no tolerance. They differ from one element to the next and, as far
/// as the type can tell them apart, from one rank to the next, so that an element that is lost, doubled, moved or
/// attributed to another rank shows.
protocol ElementPattern: Sendable {
    /// An unsigned integer as wide as the element, for its bits.
    associatedtype Bits: FixedWidthInteger & UnsignedInteger & Sendable

    /// The bits of what a rank contributes to an element, by its index.
    func input(rank: Int, index: Int) -> Bits

    /// The bits of the result, by its index.
    func expected(index: Int) -> Bits

    /// An element as a person reads it.
    func text(_ bits: Bits) -> String
}

/// Elements that are moved unchanged: random bits, not even numbers.
struct CopyPattern<Bits: FixedWidthInteger & UnsignedInteger & Sendable>: ElementPattern {
    let hash: ElementHash

    @inline(__always)
    func input(rank: Int, index: Int) -> Bits { expected(index: index) }

    @inline(__always)
    func expected(index: Int) -> Bits { Bits(truncatingIfNeeded: hash(index)) }

    func text(_ bits: Bits) -> String { "0x" + String(bits, radix: 16) }
}
