using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>Over a real context: what the table says of a sequence's memory is what stands there.</summary>
public sealed class SequenceTableTests : IDisposable
{
    private readonly INativeModel _model = TestModels.Load(TestModels.Tiny);
    private readonly INativeContext _context;
    private readonly SequenceTable _table;

    public SequenceTableTests()
    {
        _context = _model.CreateContext(new ContextConfig { Capacity = 256, Sequences = 3, BatchSize = 64, Threads = 1 });
        _table = new SequenceTable(_context, keptFor: 1000, store: null, NullLogger.Instance);
    }

    public void Dispose()
    {
        _context.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void Rent_NothingKnown_IsEmpty() => Rent(5, 6, 7).Length.ShouldBe(0);

    [Fact]
    public void Rent_BeginsAsAKeptOne_SharesItsBeginning()
    {
        _table.Keep(Read(Rent(5, 6, 7, 8), 5, 6, 7, 8));

        Sequence sequence = Rent(5, 6, 9, 10);

        sequence.Tokens.ToArray().ShouldBe([5, 6]);
        _context.Length(sequence.Id).ShouldBe(2);
        _table.Kept.ShouldBe(1);
    }

    [Fact]
    public void Rent_BeginsAsARunningOne_SharesItsBeginning()
    {
        Sequence running = Read(Rent(5, 6, 7, 8), 5, 6, 7);

        Sequence sequence = Rent(5, 6, 7, 8);

        sequence.Tokens.ToArray().ShouldBe([5, 6, 7]);
        sequence.Id.ShouldNotBe(running.Id);
        _context.Length(running.Id).ShouldBe(3);
    }

    [Fact]
    public void Rent_BeginsAsOneOfAnotherPartition_IsEmptyWhetherThatRunsOrIsKept()
    {
        Sequence others = Read(Rent(5, 6, 7, 8), 5, 6, 7, 8);
        Sequence running = Read(_table.Rent("own", [5, 6, 7, 8]), 5, 6, 7, 8);
        running.Length.ShouldBe(4);
        _table.Keep(others);
        _table.Keep(running);

        _table.Kept.ShouldBe(2);
        _table.Rent("third", [5, 6, 7, 8]).Length.ShouldBe(0);
        _table.Rent("own", [5, 6, 7, 8]).Tokens.ToArray().ShouldBe([5, 6, 7]);
    }

    [Fact]
    public void Rent_AllIsKnown_LeavesTheLastTokenToRead()
    {
        _table.Keep(Read(Rent(5, 6, 7), 5, 6, 7));

        Rent(5, 6, 7).Length.ShouldBe(2);
    }

    [Fact]
    public void Rent_GoesOnWhereAKeptOneEnds_TakesItOver()
    {
        Sequence first = Read(Rent(5, 6, 7), 5, 6, 7);
        _table.Keep(first);

        Sequence sequence = Rent(5, 6, 7, 8, 9);

        sequence.ShouldBeSameAs(first);
        sequence.Length.ShouldBe(3);
        _table.Kept.ShouldBe(0);
    }

    [Fact]
    public void Rent_SeveralBeginAlike_TakesTheLongest()
    {
        Read(Rent(5, 6), 5, 6);
        Read(Rent(5, 6, 7, 8), 7, 8).Tokens.ToArray().ShouldBe([5, 6, 7, 8]);

        Rent(5, 6, 7, 8, 9).Length.ShouldBe(4);
    }

    [Fact]
    public void Rent_NoneFree_ForgetsTheOneUnusedForLongest()
    {
        Sequence[] sequences = [Read(Rent(5, 6), 5, 6), Read(Rent(7, 8), 7, 8), Read(Rent(9, 10), 9, 10)];
        foreach (Sequence sequence in sequences)
            _table.Keep(sequence);
        // The first is used once more.
        _table.Keep(Rent(5, 6, 7));

        Sequence fresh = Rent(20, 21);

        fresh.Length.ShouldBe(0);
        fresh.ShouldBeSameAs(sequences[1]);
        _context.Length(fresh.Id).ShouldBe(0);
    }

    [Fact]
    public void Rent_OnlyTheSourceIsLeft_CutsIt()
    {
        Sequence kept = Read(Rent(5, 6, 7), 5, 6, 7);
        Read(Rent(20, 21), 20, 21);
        Read(Rent(30, 31), 30, 31);
        _table.Keep(kept);

        Sequence sequence = Rent(5, 6, 9);

        sequence.ShouldBeSameAs(kept);
        sequence.Tokens.ToArray().ShouldBe([5, 6]);
        _context.Length(sequence.Id).ShouldBe(2);
    }

    [Fact]
    public void Keep_ABeginningOfAnother_KeepsOne()
    {
        Sequence shorter = Read(Rent(5, 6), 5, 6), longer = Read(Rent(5, 6, 7), 7), equal = Read(Rent(5, 6, 7), 7);

        _table.Keep(shorter);
        _table.Keep(longer);
        _table.Keep(equal);

        _table.Kept.ShouldBe(1);
        Rent(5, 6, 7, 8).Length.ShouldBe(3);
    }

    [Fact]
    public void Keep_WhereNothingIsKept_Frees()
    {
        SequenceTable table = new(_context, keptFor: 0, store: null, NullLogger.Instance);
        Sequence sequence = Read(table.Rent("", [5, 6, 7]), 5, 6, 7);

        table.Keep(sequence);

        table.Kept.ShouldBe(0);
        _context.Length(sequence.Id).ShouldBe(0);
    }

    [Fact]
    public void Discard_Always_ForgetsIt()
    {
        Sequence sequence = Read(Rent(5, 6, 7), 5, 6, 7);

        _table.Discard(sequence);

        Rent(5, 6, 7).Length.ShouldBe(0);
    }

    [Fact]
    public void Decoding_MoreThanItIsKeptFor_ForgetsWhatNobodyUsed()
    {
        Sequence first = Read(Rent(5, 6, 7, 8), 5, 6, 7, 8), second = Read(Rent(9, 10, 11), 9, 10, 11);
        _table.Keep(first);
        _table.Decoding(600);
        _table.Keep(second);
        _table.Decoding(400);
        _table.Kept.ShouldBe(2);

        _table.Decoding(1);

        _table.Kept.ShouldBe(1);
        _context.Length(first.Id).ShouldBe(0);
        _context.Length(second.Id).ShouldBe(3);
    }

    [Fact]
    public void Decoding_UsedMeanwhile_StaysForAsLongAgain()
    {
        Sequence kept = Read(Rent(5, 6, 7, 8), 5, 6, 7, 8);
        _table.Keep(kept);
        _table.Decoding(900);

        Rent(5, 6, 9).Length.ShouldBe(2);
        _table.Decoding(1000);

        _table.Kept.ShouldBe(1);
        _table.Decoding(1);
        _table.Kept.ShouldBe(0);
    }

    [Fact]
    public void ForgetOldest_NothingKept_SaysSo() => _table.ForgetOldest().ShouldBeFalse();

    [Fact]
    public void Cut_InTheMiddle_LeavesTheBeginning()
    {
        Sequence sequence = Read(Rent(5, 6, 7), 5, 6, 7);

        _table.Cut(sequence, 1);

        sequence.Tokens.ToArray().ShouldBe([5]);
        _context.Length(sequence.Id).ShouldBe(1);
    }

    private Sequence Rent(params int[] tokens) => _table.Rent("", tokens);

    // Reads into memory what is not there yet.
    private Sequence Read(Sequence sequence, params int[] tokens)
    {
        DecodeBatch batch = new(64);
        for (int i = 0; i < tokens.Length; i++)
            batch.Add(tokens[i], sequence.Length + i, sequence.Id, output: false);
        _context.Decode(batch).ShouldBe(DecodeOutcome.Ok);
        sequence.Append(tokens);
        return sequence;
    }
}
