package Fortune;

use strict;
use warnings;

=head1 NAME

Fortune - sayings

=cut

# Opens the file of sayings.
sub new {
    my ($class, $file) = @_;
    return bless { file => $file }, $class;
}

=head2 random_saying

Chooses a random saying out of the file.

=cut

sub random_saying {
    my ($self) = @_;
    my @sayings = $self->_read;
    return $sayings[rand @sayings];
}

sub _read {
    my ($self) = @_;
    open my $in, '<', $self->{file} or die $!;
    return <$in>;
}

1;
