import Testing

@testable import RingTrainCommand

@Suite struct BucketPlanTests {
    @Test(arguments: 0...40)
    func bucketsCoverTheGradientFromItsEnd(elementCount: Int) {
        for bucketBytes in 1...(4 * 42) {
            let plan = BucketPlan(elementCount: elementCount, bucketBytes: bucketBytes)
            var end = elementCount
            for bucket in 0..<plan.count {
                let range = plan[bucket]
                #expect(range.upperBound == end)
                #expect(!range.isEmpty)
                #expect(range.count * 4 <= max(4, bucketBytes))
                end = range.lowerBound
            }
            #expect(end == 0)
        }
    }

    @Test(arguments: 0...40)
    func completeBucketsAreThoseWhollyFilled(elementCount: Int) {
        for elementsPerBucket in 1...42 {
            let plan = BucketPlan(elementCount: elementCount, bucketBytes: 4 * elementsPerBucket)
            for offset in 0...elementCount {
                let expected = (0..<plan.count).filter { plan[$0].lowerBound >= offset }.count
                #expect(plan.completeCount(filledFrom: offset) == expected)
            }
        }
    }

    @Test func largeBucketsMakeOne() {
        #expect(BucketPlan(elementCount: 9_610, bucketBytes: .max).count == 1)
    }
}
