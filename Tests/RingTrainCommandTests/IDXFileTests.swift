import Testing

@testable import RingTrainCommand

@Suite struct IDXFileTests {
    private func reason(_ bytes: [UInt8], dimensionCount: Int = 3) -> String {
        do {
            _ = try IDXFile(bytes: bytes, path: "images", dimensionCount: dimensionCount)
            return "no error"
        } catch let error as DataError {
            #expect(error.path == "images")
            return error.reason
        } catch {
            return "\(error)"
        }
    }

    @Test func readsDimensionsAndElements() throws {
        let elements = RandomData.bytes(2 * 3 * 300, seed: 1)
        let file = try IDXFile(bytes: FileFormat.idx([2, 3, 300], elements), path: "x", dimensionCount: 3)
        #expect(file.dimensions == [2, 3, 300])
        #expect(file.elements == elements)
    }

    @Test func everyShorterFileIsTruncated() {
        let whole = FileFormat.idx([2, 2, 3], RandomData.bytes(12, seed: 1))
        for count in 0..<whole.count {
            #expect(reason(Array(whole[..<count])).hasPrefix("is truncated: "), "\(count) bytes")
        }
        #expect(reason(whole) == "no error")
        #expect(
            reason(Array(whole.dropLast())) == "is truncated: 2 x 2 x 3 elements need 12 bytes, and 11 follow"
        )
    }

    @Test func bytesAfterTheElementsAreRefused() {
        let whole = FileFormat.idx([2, 2, 3], RandomData.bytes(12, seed: 1))
        #expect(reason(whole + [0, 0]) == "has 2 bytes after its 2 x 2 x 3 elements")
    }

    @Test func theMagicNumberIsChecked() {
        let whole = FileFormat.idx([1], [5])
        for position in 0..<3 {
            var bytes = whole
            bytes[position] ^= 5
            #expect(
                reason(bytes, dimensionCount: 1).hasPrefix(
                    "is not an IDX file of unsigned bytes: it starts with "))
        }
        #expect(
            reason(Array("P5 28 28".utf8))
                == "is not an IDX file of unsigned bytes: it starts with 50 35 20 32")
    }

    @Test func theNumberOfDimensionsIsChecked() {
        #expect(reason(FileFormat.idx([1], [5])) == "has 1 dimensions where 3 are expected")
        #expect(
            reason(FileFormat.idx([1, 1, 1], [5]), dimensionCount: 1)
                == "has 3 dimensions where 1 are expected")
    }

    @Test func absurdSizesAreRefusedBeforeAnythingIsAllocated() {
        let largest = Int(UInt32.max)
        #expect(
            reason(FileFormat.idx([largest, largest, largest], []))
                == "claims 4294967295 x 4294967295 x 4294967295 elements, which no file of this kind has")
        #expect(reason(FileFormat.idx([largest, 28, 28], [1])).hasPrefix("claims "))
    }
}
