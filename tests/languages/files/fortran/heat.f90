! Heat in a rod.
module heat
  implicit none

  type :: rod
    real, allocatable :: kelvin(:)
    real :: spacing
  end type rod

contains

  ! One step of the heat that flows through a rod.
  subroutine step_rod(r, dt)
    type(rod), intent(inout) :: r
    real, intent(in) :: dt
    integer :: i
    do i = 2, size(r%kelvin) - 1
      r%kelvin(i) = r%kelvin(i) + dt * curvature(r, i)
    end do
  end subroutine step_rod

  pure function curvature(r, i) result(c)
    type(rod), intent(in) :: r
    integer, intent(in) :: i
    real :: c
    c = (r%kelvin(i - 1) - 2 * r%kelvin(i) + r%kelvin(i + 1)) / r%spacing**2
  end function curvature

end module heat
