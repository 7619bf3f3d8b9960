package import RingCore

/// The consecutive pieces that a collective's elements are cut into.
///
/// The pieces of an even split are computed when asked for, so that a table of millions of them (a block for
/// each pair of ranks) takes no memory.
package struct Chunks: Sendable, Hashable {
    private enum Storage: Sendable, Hashable {
        case even(Partition)
        case listed([Range<Int>])
    }

    // A list that is an even split is stored as one, so that equal tables are equal.
    private var storage: Storage

    /// The pieces of an even split.
    package init(_ partition: Partition) {
        storage = .even(partition)
    }

    /// These pieces; whether they tile anything is for ``Plan/validate()`` to say.
    package init(_ ranges: [Range<Int>]) {
        storage = .listed(ranges)
        guard let end = ranges.last?.upperBound, end >= 0 else { return }
        let partition = Partition(count: end, parts: ranges.count)
        if ranges.indices.allSatisfy({ ranges[$0] == partition[$0] }) { storage = .even(partition) }
    }

    /// Pieces of these lengths, one after the other.
    package init(lengths: [Int]) {
        var end = 0
        self.init(
            lengths.map { length in
                end += length
                return end - length..<end
            })
    }

    /// Whether the pieces are those of the even split.
    package var isEven: Bool {
        switch storage {
        case .even: true
        case .listed: false
        }
    }

    /// The elements of consecutive chunks, which there are at least one of.
    package func elements(of chunks: Range<Int>) -> Range<Int> {
        self[chunks.lowerBound].lowerBound..<self[chunks.upperBound - 1].upperBound
    }

    /// The size of the largest chunk.
    package var largest: Int {
        switch storage {
        case .even(let partition): partition.largest
        case .listed(let ranges): ranges.lazy.map(\.count).max() ?? 0
        }
    }
}

extension Chunks: RandomAccessCollection {
    package var startIndex: Int { 0 }

    package var endIndex: Int {
        switch storage {
        case .even(let partition): partition.parts
        case .listed(let ranges): ranges.count
        }
    }

    package subscript(index: Int) -> Range<Int> {
        switch storage {
        case .even(let partition): partition[index]
        case .listed(let ranges): ranges[index]
        }
    }
}

extension Chunks: ExpressibleByArrayLiteral {
    package init(arrayLiteral ranges: Range<Int>...) {
        self.init(ranges)
    }
}
