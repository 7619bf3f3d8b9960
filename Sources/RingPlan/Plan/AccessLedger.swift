/// A record of who last wrote each part of a buffer and who has read it since, to say what a next access must
/// come after.
///
/// An access is known by a number of its user's choosing. A read must come after the last write. A write must
/// come after the reads since the last write, or, where there are none, after that write.
struct AccessLedger {
    private var segmentation: Segmentation
    /// Each segment's last writer, or -1.
    private var writers: [Int]
    /// Each segment's readers since then: the index of the first in the list below, or -1.
    private var readers: [Int]
    // The lists are only ever added to at their heads, so two halves of a segment may share one.
    private var listed: [Int] = []
    private var next: [Int] = []

    init(count: Int) {
        segmentation = Segmentation(count: count)
        writers = Array(repeating: -1, count: segmentation.count)
        readers = writers
    }

    /// Records a read, and appends the accesses that it must come after.
    mutating func read(_ range: Range<Int>, by access: Int, after earlier: inout [Int]) {
        for segment in segments(of: range) {
            if writers[segment] >= 0, writers[segment] != access { earlier.append(writers[segment]) }
            listed.append(access)
            next.append(readers[segment])
            readers[segment] = listed.count - 1
        }
    }

    /// Records a write, and appends the accesses that it must come after.
    mutating func write(_ range: Range<Int>, by access: Int, after earlier: inout [Int]) {
        for segment in segments(of: range) {
            var isRead = false
            var reader = readers[segment]
            while reader >= 0 {
                if listed[reader] != access {
                    earlier.append(listed[reader])
                    isRead = true
                }
                reader = next[reader]
            }
            if !isRead, writers[segment] >= 0 { earlier.append(writers[segment]) }
            writers[segment] = access
            readers[segment] = -1
        }
    }

    private mutating func segments(of range: Range<Int>) -> Range<Int> {
        guard !range.isEmpty else { return 0..<0 }
        if let segment = segmentation.segment(range) { return segment..<(segment + 1) }
        cut(at: range.lowerBound)
        cut(at: range.upperBound)
        return segmentation.index(of: range.lowerBound)..<segmentation.index(of: range.upperBound)
    }

    private mutating func cut(at position: Int) {
        guard let segment = segmentation.cut(at: position) else { return }
        writers.insert(writers[segment], at: segment)
        readers.insert(readers[segment], at: segment)
    }
}
