namespace OllamaMax.Edge.Pulls;

internal static class SourceBody
{
    /// <summary>A small body, whole.</summary>
    /// <exception cref="PullException">It is longer than <paramref name="most"/> bytes.</exception>
    public static async Task<byte[]> ReadAtMostAsync(
        this HttpResponseMessage response, int most, TimeSpan silence, TimeProvider time, CancellationToken cancellationToken)
    {
        await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
        byte[] bytes = new byte[most + 1];
        int read = await Silence.LimitAsync(
            limited => body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, limited).AsTask(), silence, time, cancellationToken);
        return read <= most
            ? bytes[..read]
            : throw new PullException($"{response.RequestMessage!.RequestUri!.Host} answered more than {most} bytes where a few were asked for");
    }
}
