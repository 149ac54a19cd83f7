namespace OllamaMax.Security;

/// <summary>Content is encrypted with a key that is not configured here (any more). It is as it was: with the key it can be read again.</summary>
public sealed class ContentKeyException(string key)
    : Exception($"this is encrypted with the content key '{key}', which this server does not have (OllamaMax:ContentKeys:Keys)")
{
    /// <summary>Id of the key.</summary>
    public string Key => key;
}
