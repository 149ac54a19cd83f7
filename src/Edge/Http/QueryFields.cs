using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace OllamaMax.Edge.Http;

/// <summary>Reads the parameters of a request's query. One that is not what it should be is noted, as a field of a body is, and reads as if it were absent.</summary>
internal sealed class QueryFields(HttpContext context)
{
    private readonly IQueryCollection _query = context.Request.Query;
    private readonly FieldErrors _errors = new();

    /// <summary>What was wrong first.</summary>
    public ApiError? Error => _errors.First;

    public bool Flag(string name, bool absent = false)
    {
        if (!_query.TryGetValue(name, out StringValues text))
            return absent;
        if (bool.TryParse(text, out bool flag))
            return flag;
        _errors.Add(name, "must be true or false");
        return absent;
    }

    /// <summary>How many a list is to have at most.</summary>
    public int Limit(int absent, int most)
    {
        const string name = "limit";
        if (!_query.TryGetValue(name, out StringValues text))
            return absent;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) && limit >= 1 && limit <= most)
            return limit;
        _errors.Add(name, $"must be from 1 to {most}");
        return absent;
    }
}
