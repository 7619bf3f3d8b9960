import RingCore

extension Collective {
    /// Whether one of the ranks, the root, is where it starts or ends.
    package var isRooted: Bool {
        switch self {
        case .broadcast, .reduce, .gather, .scatter: true
        case .allReduce, .reduceScatter, .allGather, .allToAll, .barrier, .sendReceive: false
        }
    }

    /// How many counts a variable-count form has for so many ranks: a share's a rank, or a block's a pair; nil
    /// where there is no such form.
    func countCount(worldSize: Int) -> Int? {
        switch self {
        case .reduceScatter, .allGather, .gather, .scatter: worldSize
        case .allToAll: worldSize * worldSize
        case .allReduce, .broadcast, .reduce, .barrier, .sendReceive: nil
        }
    }

    /// What is wrong with the counts of a call, or with their absence; nil if nothing is.
    func fault(counts: [Int]?, elementCount: Int, worldSize: Int, isInPlace: Bool) -> String? {
        guard let counts else {
            let blocks = worldSize * worldSize
            guard self == .allToAll, elementCount % blocks != 0 else { return nil }
            return "\(elementCount) elements do not make \(blocks) blocks of one size"
        }
        guard let wanted = countCount(worldSize: worldSize) else { return "\(name) takes no counts" }
        guard counts.count == wanted else {
            return "\(counts.count) counts; \(name) over \(worldSize) ranks takes \(wanted)"
        }
        if self == .allToAll, isInPlace { return "in place, all blocks are of one size: there are no counts" }
        var sum = 0
        for (index, count) in counts.enumerated() {
            guard count >= 0, count <= elementCount - sum else {
                return count < 0
                    ? "count \(index) is \(count); it must be 0 or more"
                    : "the counts are more than the element count, \(elementCount)"
            }
            sum += count
        }
        return sum == elementCount
            ? nil : "the counts are \(sum) in all, and the element count is \(elementCount)"
    }
}
