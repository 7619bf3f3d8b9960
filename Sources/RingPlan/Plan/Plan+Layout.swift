package import RingCore

// Which of the collective's elements each rank brings, and where what it brings and gets lies in its buffers.

extension Chunks {
    /// The parts of a collective's elements that belong to single ranks: shares, or, of an all-to-all, blocks;
    /// see ``Plan/parts``.
    init(partsOf collective: Collective, worldSize: Int, elementCount: Int, counts: [Int]?) {
        if let counts {
            self.init(lengths: counts)
        } else {
            let parts = collective == .allToAll ? worldSize * worldSize : worldSize
            self.init(Partition(count: elementCount, parts: parts))
        }
    }
}

extension Plan {
    /// Each rank's share of the elements, or, of an all-to-all, the block `from * worldSize + to` of each pair
    /// of ranks.
    ///
    /// Where the counts are listed it is computed anew each time: keep it where it is used more than once.
    package var parts: Chunks {
        Chunks(partsOf: collective, worldSize: worldSize, elementCount: elementCount, counts: counts)
    }

    /// A rank's share of the elements in reduce-scatter, all-gather, gather and scatter.
    package func share(of rank: Rank) -> Range<Int> { parts[rank] }

    /// How many elements a buffer of this plan must hold.
    package func count(of buffer: Buffer) -> Int {
        switch buffer {
        case .scratch: scratchCount
        case .input: isInPlace ? 0 : inputCount
        case .output: isInPlace ? inPlaceCount : outputCount
        }
    }

    private var inputCount: Int {
        switch collective {
        case .allReduce, .reduceScatter, .reduce: elementCount
        case .broadcast, .scatter: rank == root ? elementCount : 0
        case .allGather, .gather: share(of: rank).count
        case .allToAll: row.count
        case .barrier, .sendReceive: 0
        }
    }

    private var outputCount: Int {
        switch collective {
        case .allReduce, .allGather, .broadcast: elementCount
        case .reduce, .gather: rank == root ? elementCount : 0
        case .reduceScatter, .scatter: share(of: rank).count
        case .allToAll: columnCount
        case .barrier, .sendReceive: 0
        }
    }

    private var inPlaceCount: Int { collective == .allToAll ? row.count : elementCount }

    /// The elements of an all-to-all that this rank brings: its blocks for ranks 0 to n-1, one after the other.
    package var row: Range<Int> { row(in: parts) }

    /// The same, given ``parts``.
    func row(in parts: Chunks) -> Range<Int> {
        parts.elements(of: rank * worldSize..<(rank + 1) * worldSize)
    }

    private var columnCount: Int { counts == nil ? row.count : columnStarts[worldSize] }

    /// Where in the output the block from each rank starts, and the end of the last, in an all-to-all with counts.
    var columnStarts: [Int] {
        var starts = [0]
        guard let counts else { return starts }
        for from in 0..<worldSize { starts.append(starts[from] + counts[from * worldSize + rank]) }
        return starts
    }

    /// Where this rank's contribution lies at the start, and the first of the collective's elements that it
    /// holds; nil if it has none.
    func contribution(parts: Chunks) -> (range: Range<Int>, element: Int)? {
        switch collective {
        case .allReduce, .reduceScatter, .reduce: return (0..<elementCount, 0)
        case .broadcast, .scatter: return rank == root ? (0..<elementCount, 0) : nil
        case .allGather, .gather:
            let share = parts[rank]
            return (isInPlace ? share : 0..<share.count, share.lowerBound)
        case .allToAll:
            let row = row(in: parts)
            return (0..<row.count, row.lowerBound)
        case .barrier, .sendReceive: return nil
        }
    }
}
