/// The split of a gradient into buckets, each reduced over the ranks by a collective of its own.
///
/// The backward pass fills a gradient from its end, so buckets are numbered from the end too: bucket 0 is the
/// first to be complete. S. Li et al., "PyTorch Distributed", VLDB 2020, shows what the overlap brings.
struct BucketPlan: Sendable, Equatable {
    /// How many elements the gradient has.
    let elementCount: Int
    /// How many elements a bucket has; the last bucket, at the gradient's start, may have fewer.
    let elementsPerBucket: Int

    /// Plans buckets of at most `bucketBytes` bytes of float32s, but at least one element.
    init(elementCount: Int, bucketBytes: Int) {
        precondition(elementCount >= 0 && bucketBytes >= 1, "a gradient in buckets of \(bucketBytes) bytes")
        self.elementCount = elementCount
        self.elementsPerBucket = max(1, bucketBytes / MemoryLayout<Float>.stride)
    }

    /// How many buckets there are.
    var count: Int {
        elementCount / elementsPerBucket + (elementCount % elementsPerBucket == 0 ? 0 : 1)
    }

    /// The elements of one bucket.
    subscript(bucket: Int) -> Range<Int> {
        precondition(bucket >= 0 && bucket < count, "bucket \(bucket) of \(count)")
        let end = elementCount - bucket * elementsPerBucket
        return max(0, end - elementsPerBucket)..<end
    }

    /// How many buckets are complete once the gradient is final from `offset` to its end.
    func completeCount(filledFrom offset: Int) -> Int {
        precondition(offset >= 0 && offset <= elementCount, "offset \(offset) of \(elementCount)")
        return offset == 0 ? count : (elementCount - offset) / elementsPerBucket
    }
}
