// Stands in for what newer versions of Json.NET than Debian's have and the generated code sets: a strategy for names. Every name stands in a
// DataMember attribute, which goes before any strategy.
namespace Samphan
{
    internal abstract class NamingStrategy { }

    internal class CamelCaseNamingStrategy : NamingStrategy
    {
        public bool OverrideSpecifiedNames { get; set; }
    }

    internal class DefaultContractResolver : Newtonsoft.Json.Serialization.DefaultContractResolver
    {
        public NamingStrategy NamingStrategy { get; set; }
    }
}
