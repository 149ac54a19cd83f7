using System.Net;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Options;
using OllamaMax.Models.Gguf.Ollama;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Pulls;

/// <summary>
/// Brings one file into storage, piece by piece, and goes on where it was after whatever cut it off. Memory is one piece, whatever the file.
/// </summary>
internal sealed class SourceDownload(SourceHttp http, SourceRetry retry, IOptions<PullOptions> options, TimeProvider time)
{
    private const int PieceSize = 4 << 20;

    private static ReadOnlySpan<byte> GgufMagic => "GGUF"u8;

    /// <param name="address">Where the file is.</param>
    /// <param name="staged">Where it goes; all of it is there afterwards.</param>
    /// <param name="size">Its bytes, where a manifest says so; its digest then tells whether it is the right one. Null: the source is asked, and
    /// parts are put together only where it says that they are of one version.</param>
    /// <param name="progress">Told of total and completed bytes, and whether they can be gone on with.</param>
    /// <param name="cancellationToken">Ends it; what came stays for the next time.</param>
    /// <exception cref="PullException">The source does not have it, or not as it says.</exception>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task RunAsync(Uri address, StagedBlob staged, long? size, PullProgress progress, CancellationToken cancellationToken)
    {
        if (size > StagedBlobs.LargestSize)
            throw new PullException($"a file of {size} bytes is larger than {StagedBlobs.LargestSize}, which is the most that can be pulled");
        if (staged.Length > size)
            await staged.RestartAsync(null, cancellationToken);
        await retry.RunAsync(address, limited => AttemptAsync(address, staged, size, progress, limited), () => staged.Length, cancellationToken);
        await staged.CompleteAsync(cancellationToken);
    }

    private async Task<long> AttemptAsync(Uri address, StagedBlob staged, long? size, PullProgress progress, CancellationToken cancellationToken)
    {
        if (staged.Length == size)
            return staged.Length;
        long from = size is null && staged.Validator is null ? 0 : staged.Length;
        using HttpResponseMessage response = await http.GetAsync(new(address, From: from, Validator: staged.Validator), cancellationToken);
        long? told = response.StatusCode == HttpStatusCode.OK ? response.Content.Headers.ContentLength : response.Content.Headers.ContentRange?.Length;
        long total = told ?? size ?? throw new PullException($"{address.Host} does not say how long the file is");
        if (size is not null && total != size)
            throw new PullException($"{address.Host} has a file of {total} bytes where its manifest says {size}");
        if (total > StagedBlobs.LargestSize)
            throw new PullException($"a file of {total} bytes is larger than {StagedBlobs.LargestSize}, which is the most that can be pulled");
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            return await EndAsync(address, staged, total, cancellationToken);
        bool isSame = size is not null || (ValidatorOf(response) is { } validator && validator == staged.Validator);
        if (isSame && staged.Length == total)
            return total;
        if (from > 0 && size is null && IsOther(response, staged.Validator))
            await GiveUpAsync(address, response, staged, progress, cancellationToken);
        else
            progress.SayResumable(IsResumable(response, size is not null, isSame && from > 0));
        if (response.StatusCode == HttpStatusCode.OK)
            await BeginAsync(response, staged, size is null, cancellationToken);
        else if (response.Content.Headers.ContentRange?.From != staged.Length)
            throw new SourceUnavailableException($"{address.Host} answered another range than was asked for");
        await CopyAsync(response, address, staged, total, isUnknown: size is null, progress, cancellationToken);
        // All of it is there, and is known again where it has a version.
        if (size is not null || staged.Validator is not null)
            progress.SayResumable(null);
        return staged.Length;
    }

    /// <param name="response">Its begin.</param>
    /// <param name="isNamed">Its digest is known, and tells the right one.</param>
    /// <param name="isAskedForPart">A part of the same version was asked for.</param>
    /// <returns>As of <see cref="PullProgress.SayResumable"/>.</returns>
    private static bool? IsResumable(HttpResponseMessage response, bool isNamed, bool isAskedForPart)
    {
        if (response.StatusCode == HttpStatusCode.PartialContent)
            return true;
        // The whole may come although the source says that it knows parts.
        if (isAskedForPart || response.Headers.AcceptRanges.Contains("none") || (!isNamed && ValidatorOf(response) is null))
            return false;
        return response.Headers.AcceptRanges.Contains("bytes") ? true : null;
    }

    /// <summary>Whether it says that it is of another version than what is there; a part need not say of which it is.</summary>
    private static bool IsOther(HttpResponseMessage response, string? validator) => validator?.StartsWith('"') == true
        ? response.Headers.ETag is { } tag && tag.Tag != validator
        : response.Content.Headers.LastModified is { } changed && changed.ToString("R") != validator;

    /// <summary>What was there is of a version that does not come any more. Servers behind one name may have a version each: what comes now may be given up in turn.</summary>
    private async Task GiveUpAsync(Uri address, HttpResponseMessage response, StagedBlob staged, PullProgress progress, CancellationToken cancellationToken)
    {
        progress.SayResumable(null);
        await LoseAsync(address, staged, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
            throw new SourceUnavailableException("the file is another one than what was there of it, and only a part of it came");
    }

    /// <summary>There is nothing behind what is there: either it is all, or the file has become shorter.</summary>
    private async Task<long> EndAsync(Uri address, StagedBlob staged, long total, CancellationToken cancellationToken)
    {
        if (staged.Length == total)
            return total;
        await LoseAsync(address, staged, cancellationToken);
        throw new SourceUnavailableException("the file has become shorter than what was there of it");
    }

    /// <summary>It would begin anew for ever where no version stays for as long as it takes.</summary>
    private async Task LoseAsync(Uri address, StagedBlob staged, CancellationToken cancellationToken)
    {
        if (staged.LostVersions + 1 < options.Value.MaxFailures)
        {
            await staged.LoseAsync(cancellationToken);
            return;
        }
        // Who pulls again has as many tries again.
        await staged.DeleteAsync(cancellationToken);
        throw new PullException(
            $"{address.Host} had another version of its file {staged.LostVersions + 1} times before all of one had come: fetch it elsewhere, and push it (ollamamax models push)");
    }

    /// <summary>The whole comes: it was asked for, or the file is another one by now, or the source knows no parts.</summary>
    private static async Task BeginAsync(HttpResponseMessage response, StagedBlob staged, bool isVersioned, CancellationToken cancellationToken)
    {
        string? validator = isVersioned ? ValidatorOf(response) : null;
        if (staged.Length > 0 || staged.Validator != validator)
            await staged.RestartAsync(validator, cancellationToken);
    }

    /// <summary>What If-Range takes: a strong ETag, or else a time of change.</summary>
    private static string? ValidatorOf(HttpResponseMessage response) => response.Headers.ETag is { IsWeak: false } tag
        ? tag.Tag
        : response.Content.Headers.LastModified?.ToString("R");

    private async Task CopyAsync(
        HttpResponseMessage response, Uri address, StagedBlob staged, long total, bool isUnknown, PullProgress progress, CancellationToken cancellationToken)
    {
        await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
        byte[] piece = GC.AllocateUninitializedArray<byte>(PieceSize);
        int filled;
        do
        {
            (filled, Exception? cut) = await FillAsync(body, piece, read => progress.Advance(total, staged.Length + read), cancellationToken);
            if (staged.Length + filled > total)
                throw new PullException($"{address.Host} sends more than the {total} bytes that it says");
            // Most addresses that are no GGUF's are a web page's: known after its first bytes. Queries are not told, they may hold a signature.
            if (isUnknown && staged.Length == 0 && filled >= GgufMagic.Length && !piece.AsSpan().StartsWith(GgufMagic))
                throw new PullException($"{address.GetLeftPart(UriPartial.Path)} is no GGUF file");
            if (staged.Length == 0 && OllamaGguf.WhyNot(new MemoryStream(piece, 0, filled, writable: false)) is { } reason)
                throw new PullException(reason);
            // What has come is kept, also where the client has left meanwhile.
            if (filled > 0)
                await staged.AppendAsync(piece.AsMemory(0, filled), cancellationToken);
            if (cut is not null)
                ExceptionDispatchInfo.Throw(cut);
        }
        while (filled == piece.Length);
        if (staged.Length < total)
            throw new SourceUnavailableException($"the connection ended after {staged.Length} of {total} bytes");
    }

    /// <summary>Reads until the piece is full, the body ends, or something ends the reading.</summary>
    private async Task<(int Filled, Exception? Cut)> FillAsync(Stream body, byte[] piece, Action<int> progress, CancellationToken cancellationToken)
    {
        int filled = 0;
        try
        {
            while (filled < piece.Length)
            {
                int read = await Silence.LimitAsync(
                    limited => body.ReadAsync(piece.AsMemory(filled), limited).AsTask(), options.Value.Silence, time, cancellationToken);
                if (read == 0)
                    break;
                filled += read;
                progress(filled);
            }
            return (filled, null);
        }
        catch (Exception e) when (SourceRetry.IsPassing(e) || e is OperationCanceledException)
        {
            return (filled, e);
        }
    }
}
