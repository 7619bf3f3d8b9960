import RingCore
import Testing

@Suite struct DataTypeTests {
    /// Names and codes are part of the command line and of the wire, so they are written out here again.
    static let all: [(DataType, code: UInt8, name: String, byteCount: Int, isFloatingPoint: Bool)] = [
        (.float32, 1, "float32", 4, true), (.float64, 2, "float64", 8, true),
        (.float16, 3, "float16", 2, true), (.bfloat16, 4, "bfloat16", 2, true),
        (.int8, 5, "int8", 1, false), (.int16, 6, "int16", 2, false),
        (.int32, 7, "int32", 4, false), (.int64, 8, "int64", 8, false),
        (.uint8, 9, "uint8", 1, false), (.uint16, 10, "uint16", 2, false),
        (.uint32, 11, "uint32", 4, false), (.uint64, 12, "uint64", 8, false),
    ]

    @Test func codesNamesAndSizes() {
        #expect(Self.all.map(\.0) == DataType.allCases)
        for (dataType, code, name, byteCount, isFloatingPoint) in Self.all {
            #expect(dataType.rawValue == code)
            #expect(dataType.name == name)
            #expect(DataType(name: name) == dataType)
            #expect(dataType.byteCount == byteCount)
            #expect(dataType.isFloatingPoint == isFloatingPoint)
        }
    }

    @Test(arguments: ["", "float", "Float32", "float32 ", "int", "bool"])
    func otherNamesHaveNoType(name: String) {
        #expect(DataType(name: name) == nil)
    }

    @Test func elementsAreLaidOutAsTheirTypeSays() {
        check(Float.self, .float32)
        check(Double.self, .float64)
        check(Float16.self, .float16)
        check(BFloat16.self, .bfloat16)
        check(Int8.self, .int8)
        check(Int16.self, .int16)
        check(Int32.self, .int32)
        check(Int64.self, .int64)
        check(Int.self, MemoryLayout<Int>.size == 8 ? .int64 : .int32)
        check(UInt8.self, .uint8)
        check(UInt16.self, .uint16)
        check(UInt32.self, .uint32)
        check(UInt64.self, .uint64)
        check(UInt.self, MemoryLayout<UInt>.size == 8 ? .uint64 : .uint32)
    }

    private func check<Element: CollectiveElement>(_: Element.Type, _ dataType: DataType) {
        #expect(Element.dataType == dataType)
        #expect(MemoryLayout<Element>.size == dataType.byteCount)
        #expect(MemoryLayout<Element>.stride == dataType.byteCount)
    }
}

@Suite struct OperatorAndCollectiveTests {
    @Test func operatorCodesAndNames() {
        let all: [(ReductionOperator, UInt8, String)] = [
            (.sum, 1, "sum"), (.product, 2, "product"), (.min, 3, "min"), (.max, 4, "max"),
            (.average, 5, "average"),
        ]
        #expect(all.map(\.0) == ReductionOperator.allCases)
        for (value, code, name) in all {
            #expect(value.rawValue == code)
            #expect(value.name == name)
            #expect(ReductionOperator(name: name) == value)
        }
        #expect(ReductionOperator(name: "mean") == nil)
        #expect(ReductionOperator(name: "Sum") == nil)
    }

    @Test func collectiveCodesAndNames() {
        let all: [(Collective, UInt8, String)] = [
            (.allReduce, 1, "all-reduce"), (.reduceScatter, 2, "reduce-scatter"),
            (.allGather, 3, "all-gather"),
            (.broadcast, 4, "broadcast"), (.reduce, 5, "reduce"), (.gather, 6, "gather"),
            (.scatter, 7, "scatter"), (.allToAll, 8, "all-to-all"), (.barrier, 9, "barrier"),
            (.sendReceive, 10, "send-recv"),
        ]
        #expect(all.map(\.0) == Collective.allCases)
        for (value, code, name) in all {
            #expect(value.rawValue == code)
            #expect(value.name == name)
            #expect(Collective(name: name) == value)
        }
        #expect(Collective(name: "allreduce") == nil)
    }
}
