using System.Globalization;
using System.Net;
using System.Text;
using System.Xml.Linq;

namespace OllamaMax.Cli.Models;

/// <summary>
/// Writes content to an address that takes blocks (https://learn.microsoft.com/rest/api/storageservices/put-block), several at once. Which blocks are there already storage itself
/// tells, so one that was killed is gone on with by whoever comes next, with a block for each lane sent again at most.
/// </summary>
/// <param name="storage">Knows no edge and no key: the address is signed.</param>
/// <param name="content">Can be sought in.</param>
/// <param name="address">To begin with.</param>
/// <param name="newAddress">Asked when that is good no longer.</param>
/// <param name="time">Of the waits between tries.</param>
internal sealed class BlockUpload(HttpClient storage, Stream content, Uri address, Func<CancellationToken, Task<Uri>> newAddress, TimeProvider time) : IDisposable
{
    /// <summary>Blocks at once.</summary>
    public const int Lanes = 4;

    private const int LeastBlock = 8 << 20;
    private const int MostBlocks = 50_000;

    /// <summary>Three quarters of a minute in all.</summary>
    private static readonly TimeSpan[] Waits = [.. new[] { 0.5, 1, 2, 4, 8, 16, 16 }.Select(TimeSpan.FromSeconds)];

    private readonly SemaphoreSlim _reading = new(1);
    private readonly int _blockSize = SizeFor(content.Length);
    private Uri _address = address;

    /// <summary>Bytes of each block, the last excepted: storage takes so many blocks, and the same file always has the same.</summary>
    internal static int SizeFor(long length) => (int)Math.Max(LeastBlock, ((length / MostBlocks) + (1 << 20)) >> 20 << 20);

    /// <param name="progress">Told on any thread how many bytes are there.</param>
    /// <param name="cancellationToken">Ends it; what is there stays for a week.</param>
    /// <exception cref="EdgeException">Storage cannot be reached, or refuses.</exception>
    public async Task RunAsync(Action<long> progress, CancellationToken cancellationToken)
    {
        int count = (int)((content.Length + _blockSize - 1) / _blockSize);
        (HashSet<string> there, string[] committed) = await ListAsync(cancellationToken);
        string[] ids = [.. Enumerable.Range(0, count).Select(Id)];
        int[] missing = [.. Enumerable.Range(0, count).Where(index => !there.Contains(ids[index]))];
        long done = content.Length - missing.Sum(index => (long)LengthOf(index));
        progress(done);
        ParallelOptions lanes = new() { MaxDegreeOfParallelism = Lanes, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(missing, lanes, async (index, stop) =>
        {
            byte[] block = await ReadAsync(index, stop);
            using HttpResponseMessage put = await SendAsync(() => new(HttpMethod.Put, At($"comp=block&blockid={Uri.EscapeDataString(ids[index])}")) { Content = new ByteArrayContent(block) }, stop);
            progress(Interlocked.Add(ref done, block.Length));
        });
        if (committed.SequenceEqual(ids) && count > 0)
            return;
        string list = new XElement("BlockList", ids.Select(id => new XElement("Latest", id))).ToString(SaveOptions.DisableFormatting);
        using HttpResponseMessage commit = await SendAsync(
            () => new(HttpMethod.Put, At("comp=blocklist")) { Content = new StringContent(list, Encoding.UTF8, "application/xml") }, cancellationToken);
    }

    public void Dispose() => _reading.Dispose();

    /// <summary>The same for the same place of the same file; of another size of blocks it is another.</summary>
    private string Id(int index) => Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_blockSize:x8}-{index:d6}")));

    private int LengthOf(int index) => (int)Math.Min(_blockSize, content.Length - ((long)index * _blockSize));

    private async Task<byte[]> ReadAsync(int index, CancellationToken cancellationToken)
    {
        byte[] block = new byte[LengthOf(index)];
        await _reading.WaitAsync(cancellationToken);
        try
        {
            content.Position = (long)index * _blockSize;
            await content.ReadExactlyAsync(block, cancellationToken);
        }
        finally
        {
            _reading.Release();
        }
        return block;
    }

    private async Task<(HashSet<string> There, string[] Committed)> ListAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(() => new(HttpMethod.Get, At("comp=blocklist&blocklisttype=all")), cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
            return ([], []);
        XElement list = XElement.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        return ([.. list.Descendants("Name").Select(name => name.Value)], [.. list.Elements("CommittedBlocks").Descendants("Name").Select(name => name.Value)]);
    }

    private Uri At(string query) => new($"{_address}&{query}");

    /// <summary>Success, or of a question that there is nothing.</summary>
    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> request, CancellationToken cancellationToken)
    {
        bool isRenewed = false;
        for (int failures = 0; ; failures++)
        {
            EdgeException failure;
            try
            {
                using HttpRequestMessage message = request();
                HttpResponseMessage response = await storage.SendAsync(message, cancellationToken);
                if (response.IsSuccessStatusCode || (response.StatusCode == HttpStatusCode.NotFound && message.Method == HttpMethod.Get))
                    return response;
                using (response)
                    failure = new($"storage answered {(int)response.StatusCode} {response.ReasonPhrase}", response.StatusCode);
                if (response.StatusCode == HttpStatusCode.Forbidden && !isRenewed)
                {
                    // A signature ends after some hours, and lanes may find out one after the other: a new one is good for all.
                    (isRenewed, _address) = (true, await newAddress(cancellationToken));
                    continue;
                }
                if ((int)response.StatusCode is not (408 or 429 or >= 500))
                    throw failure;
            }
            catch (Exception e) when (e is HttpRequestException or IOException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
            {
                failure = new($"storage at {_address.GetLeftPart(UriPartial.Authority)} cannot be reached: {e.GetBaseException().Message}", null, e);
            }
            if (failures == Waits.Length)
                throw failure;
            await Task.Delay(Waits[failures], time, cancellationToken);
        }
    }
}
