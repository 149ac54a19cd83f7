namespace OllamaMax.Cluster;

/// <summary>
/// A document of the cluster cannot be read: it is damaged, or a newer version of the program has written it. It is left as it is, and whoever needs it does nothing.
/// </summary>
public sealed class DocumentException(string name, string reason, Exception? innerException = null)
    : Exception($"the document cluster/{name} is left alone: {reason}", innerException)
{
    public string Name => name;
}
