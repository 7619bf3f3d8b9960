import RingCore
import RingKernels
import Testing

@Suite struct KernelLevelTests {
    @Test func availableLevelsStartAtTheBaselineAndHaveNoGap() {
        let available = KernelLevel.available
        #expect(available == Array(KernelLevel.allCases.prefix(available.count)))
        #expect(!available.isEmpty)
    }

    @Test func namesAreReadBack() {
        for level in KernelLevel.allCases {
            #expect(KernelLevel(name: level.name) == level)
        }
        #expect(KernelLevel.allCases.map(\.name) == ["baseline", "avx2", "avx512"])
        #expect(KernelLevel(name: "AVX2") == nil)
        #expect(KernelLevel(name: "") == nil)
    }

    @Test func theHighestLevelIsSelected() async {
        await #expect(processExitsWith: .success) {
            #expect(KernelLevel.selected == KernelLevel.available.max())
        }
    }

    @Test func aLimitLowersTheSelectedLevelOnce() async {
        await #expect(processExitsWith: .success) {
            try KernelLevel.limit(to: .baseline)
            #expect(KernelLevel.selected == .baseline)
            try KernelLevel.limit(to: .baseline)
            let error = #expect(throws: CollectiveError.self) { try KernelLevel.limit(to: .avx2) }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("already limited to baseline") == true)
            #expect(KernelLevel.selected == .baseline)
        }
    }

    @Test func aLimitAboveTheProcessorChangesNothing() async {
        await #expect(processExitsWith: .success) {
            try KernelLevel.limit(to: .avx512)
            #expect(KernelLevel.selected == KernelLevel.available.max())
        }
    }

    @Test func onlyAveragesTakeADivisor() async {
        await #expect(processExitsWith: .failure) {
            _ = ReductionKernel(.float32, .sum, divisor: 2)
        }
    }

    @Test func divisorsArePositive() async {
        await #expect(processExitsWith: .failure) {
            _ = ReductionKernel(.float32, .average, divisor: 0)
        }
    }
}
