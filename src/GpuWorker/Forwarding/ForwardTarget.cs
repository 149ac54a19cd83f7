namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>A server to forward to.</summary>
/// <param name="Kind">What it speaks.</param>
/// <param name="Url">Where its API begins, with a slash at the end; OpenAI's with <c>/v1/</c>.</param>
/// <param name="Key">Sent as bearer; null: none.</param>
public sealed record ForwardTarget(string Kind, Uri Url, string? Key)
{
    internal ServerKind Speaks => ServerKinds.Find(Kind) ?? throw new InvalidOperationException($"'{Kind}' is no kind of server");

    /// <summary>Reads <c>kind=url</c> or <c>kind:VARIABLE=url</c>; the variable of the environment holds the key, as command lines are everybody's to read.</summary>
    /// <exception cref="ArgumentException">It is none; the message says why.</exception>
    public static ForwardTarget Parse(string text)
    {
        int at = text.IndexOf('=', StringComparison.Ordinal);
        string[] head = (at < 0 ? "" : text[..at]).Split(':', 2);
        if (ServerKinds.Find(head[0]) is null)
            throw new ArgumentException($"--forward {text} must be kind=url or kind:VARIABLE=url, with one of these kinds: {ServerKinds.Names}");
        string address = text[(at + 1)..].TrimEnd('/');
        if (!Uri.TryCreate(address + "/", UriKind.Absolute, out Uri? url) || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0 || url.Query.Length > 0)
            throw new ArgumentException($"--forward {text}: {address} is no http(s) URL of an API, without user and query");
        string? key = head.Length == 1 ? null : Environment.GetEnvironmentVariable(head[1]);
        if (head.Length > 1 && string.IsNullOrEmpty(key))
            throw new ArgumentException($"--forward {text}: the environment has no variable {head[1]} with the server's key");
        return new ForwardTarget(head[0], url, key);
    }

    public override string ToString() => $"{Kind} at {Url}";
}
