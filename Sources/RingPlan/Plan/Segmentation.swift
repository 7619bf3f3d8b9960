/// A range from zero, cut into consecutive segments, none empty.
///
/// It knows only where the cuts are; its user keeps the segments' values in arrays beside it, and repeats a
/// segment's value when that segment is cut in two.
struct Segmentation {
    /// The segments' starts, in order, and the end of the last one.
    private(set) var bounds: [Int]

    /// One segment, or none where the count is zero.
    init(count: Int) {
        bounds = count == 0 ? [0] : [0, count]
    }

    /// How many segments there are.
    var count: Int { bounds.count - 1 }

    /// The index of the segment that holds a position, or the number of segments for the end.
    func index(of position: Int) -> Int {
        var low = 0
        var high = bounds.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if bounds[middle] <= position { low = middle } else { high = middle }
        }
        return low
    }

    /// The index of the segment that is exactly this range, which is not empty, if there is one.
    func segment(_ range: Range<Int>) -> Int? {
        let index = index(of: range.lowerBound)
        guard index < count, bounds[index] == range.lowerBound, bounds[index + 1] == range.upperBound else {
            return nil
        }
        return index
    }

    /// Makes a cut at a position, and returns the index of the segment that was cut in two, if one was.
    mutating func cut(at position: Int) -> Int? {
        let index = index(of: position)
        guard bounds[index] != position else { return nil }
        bounds.insert(position, at: index + 1)
        return index
    }

    /// Replaces consecutive segments by others that begin at these positions.
    mutating func replace(_ segments: Range<Int>, startingAt starts: [Int]) {
        bounds.replaceSubrange(segments, with: starts)
    }
}
