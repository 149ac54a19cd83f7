using System.Collections.Concurrent;

namespace OllamaMax.Edge.Security.Usage;

/// <summary>What keys, and users of the issuer, that came to this edge are called, for those who look at usage, also when a key is no more. Only shown.</summary>
internal sealed class CredentialNames
{
    /// <summary>A hundred bytes each; who comes when there are more begins them anew.</summary>
    private const int MostKept = 100_000;

    private readonly ConcurrentDictionary<(string Tenant, string Credential), string> _names = [];

    public void Note(string tenant, string credential, string name)
    {
        if (_names.TryGetValue((tenant, credential), out string? known) && known == name)
            return;
        if (_names.Count >= MostKept)
            _names.Clear();
        _names[(tenant, credential)] = name;
    }

    /// <summary>Null: nobody who came here, or a user without a name.</summary>
    public string? Find(string tenant, string credential) => _names.GetValueOrDefault((tenant, credential));
}
