namespace OllamaMax.Edge.Pulls;

/// <summary>Hugging Face, which has two hosts.</summary>
internal static class HuggingFace
{
    public const string Host = "huggingface.co";

    private static readonly string[] Hosts = ["hf.co", Host];

    public static bool Has(string host) => Hosts.Contains(host, StringComparer.OrdinalIgnoreCase);

    /// <summary>The page of the repository that an address belongs to: there its terms are accepted. Null: none can be told.</summary>
    public static Uri? PageOf(Uri address)
    {
        if (!Has(address.Host))
            return null;
        string[] path = address.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        path = path switch
        {
            ["v2", .. string[] repository] => repository,
            ["api", "models", .. string[] repository] => repository,
            _ => path,
        };
        return path.Length > 2 ? new Uri($"https://{Host}/{path[0]}/{path[1]}") : null;
    }
}
