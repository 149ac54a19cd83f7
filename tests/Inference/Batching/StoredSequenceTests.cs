using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Tests.Native;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>Sequences that leave a real context for the store, and come back.</summary>
public sealed class StoredSequenceTests : IDisposable
{
    private const int Block = PrefixStore.BlockTokens;

    private readonly INativeModel _model = TestModels.Load(TestModels.Tiny);
    private readonly INativeContext _context;
    private readonly PrefixStore _store = new(1L << 30);
    private readonly SequenceTable _table;

    public StoredSequenceTests()
    {
        _context = _model.CreateContext(Config());
        _table = new SequenceTable(_context, keptFor: 1000, _store, NullLogger.Instance);
    }

    public void Dispose()
    {
        _store.Dispose();
        _context.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void Decoding_MoreThanItIsKeptFor_SavesABlockAtATimeAndThenFrees()
    {
        int[] tokens = Tokens((2 * Block) + 10);
        Sequence kept = Rent(tokens);
        _table.Keep(kept);
        _table.Decoding(1000);
        _store.Bytes.ShouldBe(0);

        int[] known = [.. Enumerable.Range(0, 3).Select(_ =>
        {
            _table.Decoding(1);
            _table.Kept.ShouldBe(1);
            return _store.Match("", tokens).Known;
        })];
        known.ShouldBe([Block, 2 * Block, tokens.Length]);

        _table.Decoding(1);
        _table.Kept.ShouldBe(0);
        _context.Length(kept.Id).ShouldBe(0);
    }

    [Fact]
    public void Decoding_NoRoomInTheStore_ItStaysAndOthersLeave()
    {
        using INativeContext context = _model.CreateContext(Config());
        int[] large = Tokens(Block), small = [5, 6, 7];
        ContextTests.Read(context, 0, small);
        using SequencePart part = context.Save(0, 0, small.Length);
        using PrefixStore store = new(2 * (long)part.Size);
        SequenceTable table = new(_context, keptFor: 1000, store, NullLogger.Instance);
        table.Keep(Read(table.Rent("", large), large));
        table.Keep(Read(table.Rent("", small), small));

        table.Decoding(1001);
        table.Decoding(1);
        table.Kept.ShouldBe(1);
        store.Match("", small).Known.ShouldBe(3);
        Sequence again = table.Rent("", [.. large, 9]);
        again.Length.ShouldBe(large.Length);
        table.Keep(again);

        table.Decoding(16384);
        table.Kept.ShouldBe(1);
        table.Decoding(1);
        table.Kept.ShouldBe(0);
    }

    [Fact]
    public void Load_WhatLeftTheContext_IsThereAsItWas()
    {
        int[] tokens = Tokens(Block + 40), prompt = [.. tokens, 7];
        _table.Keep(Rent(tokens));
        _table.ForgetOldest().ShouldBeTrue();
        _table.Kept.ShouldBe(0);

        Sequence sequence = Loaded(prompt);

        sequence.Tokens.ToArray().ShouldBe(tokens);
        Next(sequence).ShouldBe(Cold(prompt), tolerance: 1e-4);
    }

    [Fact]
    public void Load_PromptThatGoesOnElsewhere_IsCutThere()
    {
        int[] tokens = Tokens(Block + 40), prompt = [.. tokens[..(Block + 15)], 7, 7, 7];
        _table.Keep(Rent(tokens));
        _table.ForgetOldest();

        Sequence sequence = Loaded(prompt);

        sequence.Length.ShouldBe(Block + 15);
        _context.Length(sequence.Id).ShouldBe(Block + 15);
        Next(sequence).ShouldBe(Cold([.. tokens[..(Block + 15)], 7]), tolerance: 1e-4);
    }

    [Fact]
    public void Rent_ContextKnowsABeginningAndTheStoreMore_SharesWholeBlocksAndLoadsTheRest()
    {
        int[] tokens = Tokens((2 * Block) + 20);
        _table.Keep(Rent(tokens));
        _table.ForgetOldest();
        Sequence running = Rent([.. tokens[..(Block + 30)], 7, 7]);

        Sequence sequence = _table.Rent("", [.. tokens, 9]);
        sequence.Length.ShouldBe(Block);
        Load(sequence, [.. tokens, 9]);

        sequence.Tokens.ToArray().ShouldBe(tokens);
        _context.Length(running.Id).ShouldBe(Block + 32);
        Next(sequence).ShouldBe(Cold([.. tokens, 7]), tolerance: 1e-4);
    }

    [Fact]
    public void Rent_ContextKnowsAsMuch_LoadsNothing()
    {
        int[] tokens = Tokens(Block + 40);
        _table.Keep(Rent(tokens));
        _table.ForgetOldest();
        _table.Keep(Loaded([.. tokens, 7]));

        Sequence sequence = _table.Rent("", [.. tokens, 7]);

        sequence.Length.ShouldBe(tokens.Length);
        _table.CanLoad(sequence, [.. tokens, 7]).ShouldBeFalse();
    }

    [Fact]
    public void Rent_OnlyTheSourceIsLeft_SavesWhatItCuts()
    {
        int[] tokens = Tokens(Block + 40);
        Sequence kept = Rent(tokens);
        Rent(20, 21);
        Rent(30, 31);
        _table.Keep(kept);

        _table.Rent("", [.. tokens[..50], 7]).ShouldBeSameAs(kept);

        _store.Match("", tokens).Known.ShouldBe(tokens.Length);
    }

    [Fact]
    public void Load_NoRoom_TakesThatOfWhatIsKeptAndThenSaysSo()
    {
        int[] tokens = Tokens(Block + 40), other = [.. tokens.Reverse()];
        _table.Keep(Rent(tokens));
        _table.ForgetOldest();
        _table.Keep(Rent(other));
        Sequence running = Rent([.. Tokens(_context.Capacity - other.Length - 30).Select(static token => token + 1)]);

        Sequence sequence = _table.Rent("", [.. tokens, 7]);
        _table.Load(sequence, [.. tokens, 7]).ShouldBeTrue();
        _table.Kept.ShouldBe(0);
        _store.Match("", other).Known.ShouldBe(other.Length);
        sequence.Length.ShouldBe(Block);

        Read(running, [.. Enumerable.Repeat(9, _context.Capacity - running.Length - Block)]);
        _table.Load(sequence, [.. tokens, 7]).ShouldBeFalse();
        sequence.Length.ShouldBe(Block);
        _table.CanLoad(sequence, [.. tokens, 7]).ShouldBeTrue();
    }

    [Fact]
    public void Keep_TheNextTurn_AddsWhatIsNewInIt()
    {
        int[] tokens = Tokens(Block);
        _table.Keep(Rent(tokens));
        _table.ForgetOldest();
        long before = _store.Bytes;
        _table.Keep(Read(Loaded([.. tokens, 7, 8]), 7, 8));

        _table.ForgetOldest();

        _store.Match("", [.. tokens, 7, 8]).Known.ShouldBe(Block + 2);
        (_store.Bytes - before).ShouldBeInRange(1, before / 10);
    }

    private static ContextConfig Config() => ContextTests.Config() with { Capacity = 512, Sequences = 3, BatchSize = 64, Exchanges = true };

    // The same ones never stand twice at the same place after others.
    private static int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(static i => 20 + (i * i % 301))];

    private Sequence Rent(params int[] tokens) => Read(_table.Rent("", tokens), tokens);

    private Sequence Loaded(int[] prompt)
    {
        Sequence sequence = _table.Rent("", prompt);
        Load(sequence, prompt);
        return sequence;
    }

    private void Load(Sequence sequence, int[] prompt)
    {
        while (_table.Load(sequence, prompt))
            sequence.Length.ShouldBe(_context.Length(sequence.Id));
    }

    private Sequence Read(Sequence sequence, params int[] tokens)
    {
        foreach (int[] piece in tokens.Chunk(64))
        {
            ContextTests.Read(_context, sequence.Id, piece);
            sequence.Append(piece);
        }
        return sequence;
    }

    private float[] Next(Sequence sequence) => ContextTests.Read(_context, sequence.Id, 7);

    private float[] Cold(int[] tokens)
    {
        using INativeContext context = _model.CreateContext(Config());
        float[] logits = [];
        foreach (int[] piece in tokens.Chunk(64))
            logits = ContextTests.Read(context, 0, piece);
        return logits;
    }
}
