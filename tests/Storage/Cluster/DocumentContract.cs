using System.Text;
using OllamaMax.Cluster;

namespace OllamaMax.Storage.Tests.Cluster;

/// <summary>What every <see cref="IDocumentStore"/> does; the simulated one, which the election is tested over, and storage's.</summary>
public abstract class DocumentContract
{
    private const string Name = "state";

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Without documents.</summary>
    protected abstract IDocumentStore Create();

    [Fact]
    public async Task Read_NoDocument_IsNull() => (await Create().ReadAsync(Name, null, Cancellation)).ShouldBeNull();

    [Fact]
    public async Task Read_WhatWasWritten_IsThereWithItsTag()
    {
        IDocumentStore store = Create();

        StoredDocument written = (await store.WriteAsync(Name, Bytes("one"), null, Cancellation)).ShouldNotBeNull();

        StoredDocument read = (await store.ReadAsync(Name, null, Cancellation)).ShouldNotBeNull();
        (read.Tag, Text(read)).ShouldBe((written.Tag, "one"));
    }

    [Fact]
    public async Task Read_UnchangedSince_IsTheSameInstance()
    {
        IDocumentStore store = Create();
        StoredDocument known = (await store.WriteAsync(Name, Bytes("one"), null, Cancellation))!;

        (await store.ReadAsync(Name, known, Cancellation)).ShouldBeSameAs(known);

        await store.WriteAsync(Name, Bytes("two"), known, Cancellation);
        Text((await store.ReadAsync(Name, known, Cancellation))!).ShouldBe("two");
    }

    [Fact]
    public async Task Write_NewWhereThereIsOne_IsRefused()
    {
        IDocumentStore store = Create();
        await store.WriteAsync(Name, Bytes("one"), null, Cancellation);

        (await store.WriteAsync(Name, Bytes("two"), null, Cancellation)).ShouldBeNull();

        Text((await store.ReadAsync(Name, null, Cancellation))!).ShouldBe("one");
    }

    [Fact]
    public async Task Write_ChangedSince_IsRefused()
    {
        IDocumentStore store = Create();
        StoredDocument one = (await store.WriteAsync(Name, Bytes("one"), null, Cancellation))!;
        await store.WriteAsync(Name, Bytes("two"), one, Cancellation);

        (await store.WriteAsync(Name, Bytes("three"), one, Cancellation)).ShouldBeNull();

        Text((await store.ReadAsync(Name, null, Cancellation))!).ShouldBe("two");
    }

    [Fact]
    public async Task Write_ManyOnOneBasis_OneIsTaken()
    {
        IDocumentStore store = Create();
        StoredDocument basis = (await store.WriteAsync(Name, Bytes("one"), null, Cancellation))!;

        StoredDocument?[] written = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => store.WriteAsync(Name, Bytes($"{i}"), basis, Cancellation)));

        written.Count(document => document is not null).ShouldBe(1);
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(StoredDocument document) => Encoding.UTF8.GetString(document.Content.Span);
}
